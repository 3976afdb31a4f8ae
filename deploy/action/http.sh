# shellcheck shell=bash disable=SC2034 # what is set here is read by who sources this
# Requests, with curl. What nobody may read is given to it in files of a directory of our own, never as a word
# of its command line, which other processes see.
# `work` is that directory and `url` the address of Errand; `problem` says what went wrong last.

work='' url='' problem='' child='' status=000 answer=''
credential=''
credential_at=0
# By the clock of `look_at_clock`; 0: there is none.
deadline=0 now=0

# GitHub's tokens are good for five minutes.
readonly TOKEN_SECONDS=240
readonly LARGEST_ANSWER=4194304

# Sets `now`, in milliseconds. Before bash 5 whole seconds are all that is known.
look_at_clock() {
  local digits=${EPOCHREALTIME:-}
  digits=${digits//[!0-9]/}
  now=$((SECONDS * 1000))
  [ -z "$digits" ] || now=$((digits / 1000))
}

# Whether time is up; always false without a timeout.
is_late() {
  [ "$deadline" -gt 0 ] || return 1
  look_at_clock
  [ "$now" -ge "$deadline" ]
}

# At most $1 seconds, and no more than are left. Never none, which curl takes for as long as it likes.
within() {
  local most=$(($1 * 1000))
  if [ "$deadline" -gt 0 ]; then
    look_at_clock
    most=$((deadline - now < most ? deadline - now : most))
    most=$((most < 1 ? 1 : most))
  fi
  printf '%d.%03d' $((most / 1000)) $((most % 1000))
}

# Waits for the child $1 to its end, also where a signal comes in between; gives its exit code.
reap() {
  local code=0
  wait "$1" || code=$?
  while kill -0 "$1" 2>/dev/null; do
    code=0
    wait "$1" || code=$?
  done
  return "$code"
}

# curl as all requests use it: $1 is the file with the header that authorizes; its error goes to $work/error.
# In the background, because bash listens to signals only while it waits for a child, not while it runs one.
start_curl() {
  local secret=$1
  shift
  curl --disable --config "$secret" --silent --show-error --proto '=http,https' --connect-timeout 10 \
    --user-agent errand-action --max-redirs 0 "$@" 2>"$work/error" &
  child=$!
  end_if_left # a signal that came just before had nothing to end
}

write_secret() {
  printf 'header = "Authorization: Bearer %s"\n' "$2" >"$1"
}

# Sees to a credential in $work/credential: the token that was given, or one that GitHub makes for this job.
ensure_credential() {
  if [ -n "$INPUT_TOKEN" ]; then
    credential=$INPUT_TOKEN
  elif [ -z "$credential" ] || [ $((SECONDS - credential_at)) -ge "$TOKEN_SECONDS" ]; then
    ask_for_token "$1" || return 1
    credential_at=$SECONDS
  fi
  write_secret "$work/credential" "$credential"
}

# Asks GitHub for a token that is meant for Errand, within $1 seconds, or those that are left.
# https://docs.github.com/en/actions/reference/security/oidc
ask_for_token() {
  local code=0
  write_secret "$work/runner" "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
  start_curl "$work/runner" --max-time "$(within "$1")" --max-filesize "$LARGEST_ANSWER" --output "$work/token" \
    --write-out '%{http_code}' --url "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$(percent_encoded "$url")" \
    >"$work/status"
  reap "$child" || code=$?
  status=$(<"$work/status")
  status=${status:-000} child=''
  if [ "$code" -ne 0 ] || [ "$status" != 200 ]; then
    problem="GitHub gave no token for this job (HTTP status $status)."
    return 1
  fi
  credential=$(json_member value "$(<"$work/token")")
  rm -f "$work/token"
  if ! [[ $credential =~ ^[A-Za-z0-9._=-]+$ ]]; then
    problem='GitHub gave no token that could be used.'
    return 1
  fi
  mask "$credential"
}

# Sends one request: its method $1, path $2, at most $3 seconds and further words for curl. Sets `status` (000: there was
# no answer), `answer` and, where it is no success, `problem`.
request() {
  local method=$1 path=$2 most=$3 code=0 tries
  shift 3
  for tries in 1 2; do
    status=000 answer='' code=0
    ensure_credential "$most" || return 1
    start_curl "$work/credential" --request "$method" --max-time "$(within "$most")" --max-filesize "$LARGEST_ANSWER" \
      --output "$work/answer" --write-out '%{http_code}' "$@" --url "$url$path" >"$work/status"
    reap "$child" || code=$?
    status=$(<"$work/status")
    status=${status:-000} child=''
    if [ "$status" != 401 ] || [ -n "$INPUT_TOKEN" ] || [ "$tries" -eq 2 ]; then break; fi
    credential='' # it may have ended on the way
  done
  [ ! -s "$work/answer" ] || answer=$(LC_ALL=C tr -d '\000' <"$work/answer")
  : >"$work/answer"
  [[ $status == 2?? ]] && [ "$code" -eq 0 ] && return 0
  describe_problem
  return 1
}

# Why the request failed, in `problem`.
describe_problem() {
  local detail mistakes
  if [ "$status" = 000 ]; then
    problem="Errand cannot be reached at $url: $(tr -d '\r\n' <"$work/error")"
    return
  fi
  detail=$(json_member detail "$answer")
  if [ -z "$detail" ]; then
    problem="$url gave no answer of Errand (HTTP status $status): look at \`url\`, and at what is in front of Errand."
    return
  fi
  mistakes=$(json_mistakes "$answer")
  problem="Errand answered $detail${mistakes:+ ${mistakes%; }} ($status)"
  if [ "$status" = 401 ] && [ -n "$INPUT_TOKEN" ]; then
    problem+=" The \`token\` of this step is not known there: it may have expired, or have been deleted."
  fi
}

# Whether it makes sense to ask again after a failure.
is_passing() {
  case $status in
    000 | 408 | 429 | 5??) return 0 ;;
    *) return 1 ;;
  esac
}
