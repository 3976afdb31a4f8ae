# Tells in its log what the job beside it writes into the files of its report, until nothing else runs in the
# pod. $1: the directory of the files; $2: what the command line of whoever stops the job has in it.
# In its log: `errand NAME SIZE`, as many bytes, and the end of a line; the last of a name counts.
LC_ALL=C
export LC_ALL
trap '' TERM INT HUP # all are told to stop, and this one ends when they have
echo "errand begun 0"
exec 2>/dev/null
cd "$1" || exit 0
outputs='' summary='' progress='' left=4194304 n=0

look() { # NAME COMMAND SIZE: puts into $v what the file says
  v=
  [ -s "$1" ] && [ -f "$1" ] && [ ! -L "$1" ] || return 1
  v=$("$2" -c "$3" <"$1" | tr -d '\000\r'; echo .)
  v=${v%.}
}

tell() {
  left=$((left - ${#v} - 32))
  printf 'errand %s %s\n%s\n' "$1" "${#v}" "$v"
}

so_far() {
  look progress tail 256 && [ "$v" != "$progress" ] && { progress=$v; tell progress; }
}

whole() {
  look outputs head 65537 && [ "$v" != "$outputs" ] && { outputs=$v; tell outputs; }
  look summary head 65537 && [ "$v" != "$summary" ] && { summary=$v; tell summary; }
}

of() { # PROCESS: puts into $c its command line, and into $p who started it
  c='' p=''
  read -r c </proc/$1/cmdline
  while read -r k x _; do case $k in PPid:) p=$x; break ;; esac; done </proc/$1/status
}

others() {
  stopping=' '
  for d in /proc/[0-9]*; do
    of "${d#/proc/}"
    case $c in *"$2"*) [ "${d#/proc/}" = $$ ] || stopping="$stopping${d#/proc/} " ;; esac
  done
  for d in /proc/[0-9]*; do
    q=${d#/proc/}
    of "$q"
    case $q in 1 | $$) continue ;; esac
    case $p in $$ | '') continue ;; esac
    case $stopping in *" $q "* | *" $p "*) continue ;; esac
    [ -n "$c" ] && return 0
  done
  return 1
}

while others "$@"; do
  n=$((n + 1))
  [ $((n % 2)) = 0 ] && so_far
  # What nobody waits for, but what is there if this one does not come to its end.
  [ $((n % 20)) = 0 ] && [ "$left" -gt 0 ] && whole
  sleep 0.5 || sleep 1
done
so_far
whole
echo "errand ended 0"
