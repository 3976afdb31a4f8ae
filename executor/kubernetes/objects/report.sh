# Tells in its log what the job beside it writes into the files of its report, until that has ended.
# $1: the directory of the files; $2: what the command line of whoever stops the job has in it.
# In its log: `errand NAME SIZE`, as many bytes, and the end of a line; the last of a name counts.
LC_ALL=C
export LC_ALL
trap 'stop=1' TERM INT HUP # all are told to stop, and this one ends when they have
echo "errand begun 0"
exec 2>/dev/null
cd "$1" || exit 0
outputs='' summary='' progress='' left=4194304 n=0 stop='' ours=' '

look() { # NAME COMMAND SIZE: puts into $v what the file says
  v=
  [ -s "$1" ] && [ -f "$1" ] && [ ! -L "$1" ] || return 1
  v=$("$2" -c "$3" <"$1" | tr -d '\000\r'; echo .)
  case $v in *.) v=${v%.} ;; *) return 1 ;; esac # else a signal ended it
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

runs() { # whether the job does: nobody of this pod started the first process of a container, or what stops it
  for d in /proc/[0-9]*; do
    q=${d#/proc/} p=''
    case $q in 1 | $$) continue ;; esac
    while read -r k x _; do case $k in PPid:) p=$x; break ;; esac; done <"$d/status"
    [ "$p" = 0 ] || continue
    case $ours in *" $q "*) return 0 ;; esac
    is_ours "$q" "$2" && { ours="$ours$q "; return 0; }
  done
  return 1
}

is_ours() { # PROCESS WORDS: not of a sidecar, as far as that can be seen, and not what stops the job
  c='' e='' some=''
  read -r c <"/proc/$1/cmdline"
  case $c in *"$2"*) return 1 ;; esac
  while read -r e || [ "$e" ]; do
    some=1
    case $e in *ERRAND_PROGRESS=*) return 0 ;; esac
  done <"/proc/$1/environ" || return 0
  [ -z "$some" ]
}

while runs "$@" || { [ "$ours" = ' ' ] && [ $n = 0 ]; }; do # one that is not seen yet may be about to begin
  n=$((n + 1))
  [ "$stop" ] || [ $((n % 2)) = 0 ] && so_far
  # What nobody waits for, but what is there if this one is killed.
  [ "$stop" ] || [ $((n % 20)) = 0 ] && [ "$left" -gt 0 ] && whole
  { sleep 0.5 || [ "$stop" ] || sleep 1; } >/dev/null
done
so_far
whole
echo "errand ended 0"
