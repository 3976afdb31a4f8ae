#!/usr/bin/env bash
# Starts a job of Errand, shows its log, and ends with its exit code. Needs bash (3.2 or newer) and curl.
#
# A workflow that is cancelled sends SIGINT to this process, SIGTERM 7.5 seconds later, and ends it after another
# 2.5 seconds: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
set -uo pipefail

here=${BASH_SOURCE[0]%/*}
# shellcheck source=deploy/action/text.sh
source "$here/text.sh"
# shellcheck source=deploy/action/http.sh
source "$here/http.sh"

# Seconds for which a service that does not answer is asked again.
readonly PATIENCE=120
readonly REQUEST_SECONDS=30
# Seconds after which a log that breaks off has been there at all.
readonly LONG=10
readonly SUMMARY_LINES=20

body='' cancelled='' starting='' leaving='' stopped=''
run='' state='' result='' exit_code='' page=''

main() {
  read_inputs
  umask 077
  work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/errand.XXXXXX") || fail 'There is no room for temporary files.'
  trap clean_up EXIT
  trap on_signal INT TERM HUP
  start_run
  output run "$run"
  output log-url "$page"
  [ -z "$cancelled" ] || give_up 130 'The workflow was cancelled.'
  printf 'Run #%s: %s\n' "$run" "$page"
  if [ "$INPUT_WAIT" = false ]; then
    summarize 'was started'
    return 0
  fi
  follow_run
  finish
}

# A child that is ended before it is a program of its own believes that this is for it to do.
clean_up() {
  [ "$(exec sh -c 'echo "$PPID"')" = "$$" ] || return 0
  resume_commands
  [ -z "$child" ] || kill "$child" 2>/dev/null
  rm -rf "$work"
}

# A run that is being started has to be known before it can be cancelled; all else is left at once.
on_signal() {
  cancelled=yes
  end_if_left
}

# Ends the child there is, if the workflow was cancelled. One that is just being born may lose a signal.
end_if_left() {
  [ -n "$cancelled" ] && [ -z "$starting$leaving" ] && [ -n "$child" ] || return 0
  while kill "$child" 2>/dev/null; do sleep 0.1; done
}

read_inputs() {
  local name
  for name in URL JOB PARAMETERS IMAGE_TAG WAIT TIMEOUT TOKEN; do
    name=INPUT_$name
    printf -v "$name" '%s' "${!name:-}"
  done
  [ -z "$INPUT_TOKEN" ] || mask "$INPUT_TOKEN"
  url=${INPUT_URL%/}
  [[ $url =~ ^https?://[A-Za-z0-9._:-]+$|^https?://\[[0-9a-fA-F:]+\](:[0-9]+)?$ ]] ||
    fail 'url: expected the address of Errand, such as https://errand.example.com.'
  [[ $INPUT_JOB =~ ^[a-z0-9-]{1,40}$ ]] || fail 'job: expected the name of a job.'
  case $INPUT_WAIT in
    true | false) ;;
    *) fail 'wait: expected true or false.' ;;
  esac
  if [ -n "$INPUT_TIMEOUT" ]; then
    deadline=$(seconds "$INPUT_TIMEOUT") || fail 'timeout: expected a duration such as 90s, 30m or 2h.'
    look_at_clock
    deadline=$((now + deadline * 1000))
    # Of whole seconds it is not known how much of the first one is over: late rather than early.
    [ -n "${EPOCHREALTIME:-}" ] || deadline=$((deadline + 1000))
  fi
  if [ -n "$INPUT_TOKEN" ]; then
    [[ $INPUT_TOKEN =~ ^[A-Za-z0-9._=-]+$ ]] || fail 'token: this is no token of Errand.'
  elif [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || [ -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" ]; then
    fail 'This job may not ask GitHub for a token. Give it "permissions: {id-token: write}", or this action a token.'
  fi
  read_parameters
}

# Makes `body`, what the run is started with.
read_parameters() {
  local line key value members=''
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [[ $line =~ [^[:space:]] ]] || continue
    [[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || fail 'parameters: expected KEY=VALUE in each line.'
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    ! [[ ${value//$'\t'/} =~ [[:cntrl:]] ]] || fail "parameters: $key holds a control character."
    members+="${members:+, }$(json_string "$key"): $(json_string "$value")"
  done <<<"$INPUT_PARAMETERS"
  body="{\"parameters\": {$members}"
  [ -z "$INPUT_IMAGE_TAG" ] || body+=", \"image_tag\": $(json_string "$INPUT_IMAGE_TAG")"
  body+='}'
}

# A pause that a signal ends, and the end of the time.
pause() {
  sleep "$(within "$1")" &
  child=$!
  end_if_left
  wait "$child" 2>/dev/null
  child=''
}

# Starts the run. Asked again with the same key Errand gives the same run, so nothing runs twice; the name of the
# file for outputs is that of this one step.
start_run() {
  local key since=$SECONDS delay=1 file=${GITHUB_OUTPUT:-}
  key="actions/${GITHUB_RUN_ID:-0}/${GITHUB_RUN_ATTEMPT:-1}/${GITHUB_JOB:-}/${file##*/}"
  printf '%s' "$body" >"$work/body"
  starting=yes
  until request POST "/api/jobs/$INPUT_JOB/start" "$REQUEST_SECONDS" \
    --header 'Content-Type: application/json' --header "Idempotency-Key: ${key:0:200}" --data-binary "@$work/body"; do
    is_passing || fail "$problem"
    [ -z "$cancelled" ] || fail 'The workflow was cancelled before the run was started.' 130
    [ $((SECONDS - since)) -lt "$PATIENCE" ] || fail "$problem"
    pause "$delay"
    ! is_late || fail "$problem"
    delay=$((delay < 16 ? delay * 2 : 16))
  done
  starting=''
  if ! read_run; then
    describe_problem
    fail "$problem"
  fi
}

# What `answer` says of the run; fails where it is no run, or another one.
read_run() {
  local number
  number=$(json_member number "$answer")
  [[ $number =~ ^[0-9]{1,18}$ ]] && [ "$number" = "${run:-$number}" ] || return 1
  run=$number
  state=$(json_member state "$answer")
  result=$(json_member result "$answer")
  exit_code=$(json_member exit_code "$answer")
  page=$(json_member url "$answer")
}

# Shows the log of one attempt after the other, as it grows, until the run has ended.
follow_run() {
  local attempt=1 seen=0 since='' doubt=''
  stop_commands
  while :; do
    if ! stream "$attempt"; then
      endure
    elif ! is_more; then
      break
    fi
  done
  resume_commands
}

# Whether there is more to show after a log that ended: another attempt, or the rest of this one, which a service
# that is restarted cuts short. It moves `attempt` and `seen`.
is_more() {
  local looks=0
  while [ "$looks" -lt 4 ]; do
    if request GET "/api/runs/$run" "$REQUEST_SECONDS" && read_run; then
      since='' looks=$((looks + 1))
      # Only numbers of attempts stand there without quotes.
      if [[ $answer =~ \"attempt\":\ ?$((attempt + 1))[^0-9] ]]; then
        attempt=$((attempt + 1)) seen=0 doubt=''
        return 0
      elif [ "$state" = finished ]; then
        [ -n "$doubt" ] || return 1
        doubt=''
        return 0
      fi
    else
      doubt=yes
      if [[ $status == 2?? ]]; then
        describe_problem
        status=000 # something else than Errand answers
      fi
    fi
    endure
  done
}

# Waits a moment, or ends: when it was cancelled, when time is up, and when nobody answers for too long. `since`
# is when that began, and empty while Errand answers: a job may say nothing for hours.
endure() {
  [ -z "$cancelled" ] || give_up 130 'The workflow was cancelled.'
  ! is_late || give_up 124 "The run did not end within $INPUT_TIMEOUT."
  if [[ $status != 2?? ]]; then
    since=${since:-$SECONDS}
    if ! is_passing || [ $((SECONDS - since)) -ge "$PATIENCE" ]; then
      resume_commands # else nobody would take it for an error
      fail "$problem Run #$run may go on."
    fi
  fi
  pause 1
}

# Shows the log of attempt $1 from its byte `seen` on, which it moves; fails where it breaks off.
stream() {
  local code=0 reader='' before=$seen began=$SECONDS path="/api/runs/$run/logs?follow=1&attempt=$1"
  local words=(--no-buffer --fail --write-out '%{stderr}\n%{http_code} %{size_download}' --url "$url$path")
  status=000
  ensure_credential 10 || return 1
  [ "$deadline" -eq 0 ] || words+=(--max-time "$(within 8640000)")
  [ -z "$cancelled" ] || return 1
  if [ "$seen" -eq 0 ]; then
    start_curl "$work/credential" "${words[@]}"
  else
    rm -f "$work/pipe" && mkfifo "$work/pipe"
    skip "$seen" <"$work/pipe" &
    reader=$!
    start_curl "$work/credential" "${words[@]}" >"$work/pipe"
  fi
  reap "$child" || code=$?
  child=''
  [ -z "$reader" ] || reap "$reader"
  read_sizes
  if [[ $status == 2?? && ($code -eq 0 || $seen -gt $before || $((SECONDS - began)) -ge $LONG) ]]; then
    since='' # a proxy that cuts what is silent is no sign that Errand is
  fi
  [ "$code" -ne 0 ] || return 0
  problem="The log cannot be read from Errand (HTTP status $status)."
  if [ "$status" = 401 ] && [ -z "$INPUT_TOKEN" ] && [ -n "$credential" ]; then
    credential='' status=000 # it ended on the way
  elif [[ $status == 2?? ]]; then
    status=000 # it broke off
  fi
  return 1
}

# Status and size of what was streamed, from the last line of curl's errors.
read_sizes() {
  local line='' last=''
  while IFS= read -r line || [ -n "$line" ]; do last=$line; done <"$work/error"
  if [[ $last =~ ^([0-9]{3})\ ([0-9]{1,15})$ ]]; then
    status=${BASH_REMATCH[1]}
    if [[ $status == 200 && ${BASH_REMATCH[2]} -gt $seen ]]; then seen=${BASH_REMATCH[2]}; fi
  fi
}

# Copies the input without its first $1 bytes.
skip() {
  local LC_ALL=C left=$1 part
  while [ "$left" -gt 0 ]; do
    IFS= read -r -d '' -n $((left < 65536 ? left : 65536)) part || break
    left=$((left - ${#part} - (${#part} < (left < 65536 ? left : 65536) ? 1 : 0)))
  done
  cat
}

# Nothing that a job writes is taken for a command, until the word is said that nobody can guess.
stop_commands() {
  stopped=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  [[ $stopped =~ ^[0-9a-f]{32}$ ]] || fail 'There are no random numbers.'
  printf '::stop-commands::%s\n' "$stopped"
}

# Hides $1 from now on, also while commands are stopped: else it would be shown to everybody, as any text.
mask() {
  local before=$stopped
  resume_commands
  printf '::add-mask::%s\n' "$(command_text "$1")"
  [ -z "$before" ] || stop_commands
}

resume_commands() {
  [ -z "$stopped" ] || printf '\n::%s::\n' "$stopped"
  stopped=''
}

# Cancels the run and ends with the exit code $1, because of $2. GitHub gives ten seconds for all of it.
give_up() {
  leaving=yes
  look_at_clock
  deadline=$((now + 8000))
  resume_commands
  # Some proxies refuse a POST without a body.
  if request POST "/api/runs/$run/cancel" 4 --header 'Content-Type: application/json' --data '{}' && read_run; then
    if [ "$state" = finished ] && [ "$result" != cancelled ]; then finish; fi # it was faster
    printf 'Run #%s is cancelled.\n' "$run"
    result=cancelled
  else
    say_error "Run #$run could not be cancelled: $problem"
    result=''
  fi
  say_error "$2"
  output result "$result"
  output exit-code "$1"
  output outputs '{}'
  exit_code=''
  summarize "${result:-was left alone}" "$2"
  exit "$1"
}

# Ends as the run has ended.
finish() {
  local code=1 reason message
  look_at_clock
  [ -n "$leaving" ] || deadline=$((now + 10000)) # for the summary
  reason=$(json_member reason "$answer")
  message=$(json_member message "$answer")
  output result "$result"
  output exit-code "$exit_code"
  output outputs "$(json_texts outputs "$answer")"
  [[ $exit_code =~ ^[0-9]{1,3}$ ]] || exit_code=''
  case $result in
    succeeded) code=0 ;;
    timed_out) code=124 ;;
    cancelled) code=130 ;;
  esac
  [ "$code" -eq 0 ] || [ -z "$exit_code" ] || [ "$exit_code" -eq 0 ] || code=$exit_code
  summarize "${result//_/ }" "${reason}${reason:+${message:+: }}${message}"
  if [ "$code" -ne 0 ]; then
    say_error "Run #$run of $INPUT_JOB: ${result//_/ }${exit_code:+, exit code $exit_code}${reason:+ ($reason)}"
  fi
  exit "$code"
}

output() {
  [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "${2//[$'\r\n']/}" >>"$GITHUB_OUTPUT"
}

# Writes the summary of the step: the run $1, and why ($2), with the end of its log where it failed.
summarize() {
  local last=''
  [ -n "${GITHUB_STEP_SUMMARY:-}" ] || return 0
  if [ "$state" = finished ] && [ "$result" != succeeded ] && request GET "/api/runs/$run/logs?tail=$SUMMARY_LINES" 10; then
    last=$(plain "${answer:0:20000}")
  fi
  {
    printf '### %s\n\n' "$(markdown "$INPUT_JOB"): [run \\#$run](${page//[^A-Za-z0-9:\/._-]/}) $(markdown "$1")"
    [ -z "$exit_code" ] || printf 'Exit code %s\n\n' "$exit_code"
    [ -z "${2:-}" ] || printf '%s\n\n' "$(markdown "${2:0:1000}")"
    [ -z "$last" ] || printf '<pre>\n%s\n</pre>\n' "$last"
  } >>"$GITHUB_STEP_SUMMARY"
}

# $1 without colours and control characters, for a page.
plain() {
  local LC_ALL=C # of bytes that are no UTF-8 some programs take nothing
  export LC_ALL
  html "$(printf '%s' "$1" | sed $'s/\e\\[[0-9;]*[A-Za-z]//g' | tr -d '\000-\010\013-\037\177')"
}

main
