"""Which start of the machine this is."""


def boot() -> str:
    """Name this start of the machine; empty where it has no name."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
