# shellcheck shell=bash
# Texts: out of JSON, into JSON, addresses, Markdown and workflow commands. Bash alone, as old as 3.2.

# Where bash reads & in a replacement as what was found, it is told not to.
shopt -u patsub_replacement 2>/dev/null || true

# What is said to people, as workflow commands: their text is one line.
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
command_text() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

say_error() {
  printf '::error title=Errand::%s\n' "$(command_text "$1")"
}

fail() {
  say_error "$1"
  exit "${2:-1}"
}

# The text $1 as a string of JSON. Control characters other than tabs and ends of lines are refused before.
json_string() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  text=${text//$'\r'/\\r}
  printf '"%s"' "${text//$'\n'/\\n}"
}

# What is read of a document at a time: bash copies all that is left with every step, and pages are large.
readonly WINDOW=512

# The member $1 of the JSON object $2, if it is a text, a number, true or false; nothing for all else. Members
# of objects within it are passed over, whatever they are called.
json_member() {
  local LC_ALL=C wanted=$1 ahead=$2 rest='' depth=0 name='' value after
  local string='^"(([^"\\]|\\.)*)"[[:space:]]*(:?)' other='^[^][{}",:[:space:]]+'
  [[ $ahead =~ ^[[:space:]]*\{ ]] || return 0
  while [ -n "$rest$ahead" ]; do
    # A name or a text may go on behind the window; then it grows.
    if [ "${#rest}" -lt $((WINDOW / 2)) ] && [ -n "$ahead" ]; then
      rest+=${ahead:0:WINDOW} ahead=${ahead:WINDOW}
    fi
    if [ "${rest:0:1}" = '"' ]; then
      until { [[ $rest =~ $string ]] && [ "${#BASH_REMATCH[0]}" -lt "${#rest}" ]; } || [ -z "$ahead" ]; do
        rest+=${ahead:0:WINDOW} ahead=${ahead:WINDOW}
      done
    fi
    if [ "${rest:0:1}" = '"' ] && [[ $rest =~ $string ]]; then
      value=${BASH_REMATCH[1]} after=${BASH_REMATCH[3]}
      rest=${rest:${#BASH_REMATCH[0]}}
      if [ -n "$after" ]; then
        name=$value
      elif [ "$depth" -eq 1 ] && [ "$name" = "$wanted" ]; then
        json_text "$value"
        return
      fi
    elif [[ $rest =~ $other ]]; then
      value=${BASH_REMATCH[0]}
      rest=${rest:${#value}}
      if [ "$depth" -eq 1 ] && [ "$name" = "$wanted" ]; then
        [ "$value" = null ] || printf '%s' "$value"
        return
      fi
    else
      case ${rest:0:1} in
        '{' | '[') depth=$((depth + 1)) ;;
        '}' | ']') depth=$((depth - 1)) name='' ;;
        ',') [ "$depth" -ne 1 ] || name='' ;;
        '"') return 0 ;; # a string without an end
      esac
      rest=${rest:1}
    fi
  done
}

# The member $1 of the JSON object $2 as it stands there, if it is an object of texts; {} for all else. What is not
# between quotes cannot be a part of a text, once backslashes and quotes of texts are written with other characters.
json_texts() {
  local LC_ALL=C wanted=$1 text parts=() index whole='' between
  text=$(printf '%s' "$2" | sed -e $'s/\\\\\\\\/\001/g' -e $'s/\\\\"/\002/g')
  IFS='"' read -r -d '' -a parts <<<"$text" || :
  for ((index = 1; index + 1 < ${#parts[@]}; index += 2)); do
    between=${parts[index + 1]}
    if [ -n "$whole" ]; then
      whole+=\"${parts[index]}\"
      case $between in
        *'}'*) break ;;
        *:*) whole+=: ;;
        *) whole+=, ;;
      esac
    elif [ "${parts[index]}" = "$wanted" ] && [[ $between =~ ^[[:space:]]*:[[:space:]]*\{[[:space:]]*$ ]]; then
      whole='{'
    fi
  done
  whole=${whole:-\{}
  whole=${whole//$'\002'/\\\"}
  printf '%s}' "${whole//$'\001'/\\\\}"
}

# The mistakes that the problem document $1 lists, the first five of them, each as `NAME: what is wrong; `. No text
# can look like one: its quotes would have a backslash.
json_mistakes() {
  local rest=$1 count place
  local one='"pointer":[[:space:]]*"#(([^"\\]|\\.)*)",[[:space:]]*"detail":[[:space:]]*"(([^"\\]|\\.)*)"'
  for count in 1 2 3 4 5; do
    [[ $rest =~ $one ]] || return 0
    rest=${rest#*"${BASH_REMATCH[0]}"}
    place=${BASH_REMATCH[1]#/} place=${place#parameters/}
    json_text "${place:+${place//\//.}: }${BASH_REMATCH[3]}; "
  done
}

# What stands between the quotes of a string of JSON, as plain text. Errand writes what is not ASCII as \uXXXX.
json_text() {
  local rest=$1 text='' code
  while [[ $rest == *\\* ]]; do
    text+=${rest%%\\*}
    rest=${rest#*\\}
    case ${rest:0:1} in
      n) text+=$'\n' ;;
      r | b | f) ;;
      t) text+=$'\t' ;;
      u)
        [[ $rest =~ ^u([0-9a-fA-F]{4}) ]] || return 0
        code=$((16#${BASH_REMATCH[1]}))
        rest=${rest:4}
        if [ $((code >> 10)) -eq 54 ] && [[ $rest =~ ^.\\u([dD][c-fC-F][0-9a-fA-F]{2}) ]]; then
          code=$((65536 + ((code & 1023) << 10) + (16#${BASH_REMATCH[1]} & 1023)))
          rest=${rest:6}
        fi
        text+=$(utf8 "$code")
        ;;
      *) text+=${rest:0:1} ;;
    esac
    rest=${rest:1}
  done
  printf '%s' "$text$rest"
}

# The character with the number $1, as UTF-8; control characters and halves of pairs become ?.
utf8() {
  local code=$1 bytes
  if [ "$code" -lt 32 ] || { [ "$code" -ge 127 ] && [ "$code" -lt 160 ]; } || [ $((code >> 11)) -eq 27 ]; then
    bytes=63
  elif [ "$code" -lt 128 ]; then
    bytes=$code
  elif [ "$code" -lt 2048 ]; then
    bytes="$((192 | code >> 6)) $((128 | code & 63))"
  elif [ "$code" -lt 65536 ]; then
    bytes="$((224 | code >> 12)) $((128 | code >> 6 & 63)) $((128 | code & 63))"
  else
    bytes="$((240 | code >> 18)) $((128 | code >> 12 & 63)) $((128 | code >> 6 & 63)) $((128 | code & 63))"
  fi
  for code in $bytes; do
    # shellcheck disable=SC2059 # the format is made of the digits of one byte
    printf "\\$(printf '%03o' "$code")"
  done
}

# $1 as a part of an address, byte by byte.
percent_encoded() {
  local LC_ALL=C text=$1 index character
  for ((index = 0; index < ${#text}; index++)); do
    character=${text:index:1}
    case $character in
      [A-Za-z0-9._~-]) printf '%s' "$character" ;;
      *) printf '%%%02X' "$(($(printf '%d' "'$character") & 255))" ;;
    esac
  done
}

html() {
  local text=$1
  text=${text//'&'/&amp;}
  text=${text//'<'/&lt;}
  printf '%s' "${text//'>'/&gt;}"
}

# $1 as a line of Markdown in which nothing is marked up.
markdown() {
  local text mark
  text=$(html "${1//[$'\r\n\t']/ }")
  for mark in \\ \` '*' _ '[' ']' '(' ')' '#' '!' '|' '~' '@' ':' '$'; do
    text=${text//"$mark"/\\$mark}
  done
  printf '%s' "$text"
}

# The seconds of a duration such as 90, 90s, 30m, 1h30m or 2d; fails where $1 is none, or none at all.
seconds() {
  local rest=$1 total=0 count
  if [[ $rest =~ ^[0-9]{1,7}$ ]]; then rest+=s; fi
  while [[ $rest =~ ^([0-9]{1,7})([smhd]) ]]; do
    rest=${rest:${#BASH_REMATCH[0]}}
    count=$((10#${BASH_REMATCH[1]}))
    case ${BASH_REMATCH[2]} in
      m) count=$((count * 60)) ;;
      h) count=$((count * 3600)) ;;
      d) count=$((count * 86400)) ;;
    esac
    total=$((total + count))
  done
  [ -z "$rest" ] && [ "$total" -gt 0 ] && printf '%d' "$total"
}
