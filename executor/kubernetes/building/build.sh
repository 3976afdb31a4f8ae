# Builds an image of a commit and pushes it: the job of a pod in the cluster, in the image of BuildKit or
# Buildah. Needs git, that builder, and a POSIX shell with the usual small programs; busybox's do.
#
# What comes from outside is never read as code. It comes as arguments (KIND, then options of the builder), as
# files, and in the environment:
#   ERRAND_REPOSITORY, ERRAND_URL, ERRAND_COMMIT    what to check out; GIT_*: how
#   ERRAND_CONTEXT, ERRAND_DOCKERFILE               paths in the checkout
#   ERRAND_PUSH                                     the repository that the image goes to
#   ERRAND_CACHE                                    the one that its layers go to; not set: none
#   ERRAND_REGISTRIES                               the builder's configuration of registries; not set: its own
#   ERRAND_AUTHORITIES, ERRAND_AUTHORITY_N          hosts of registries, and the authority of the Nth, in PEM
#   ERRAND_WORK                                     a directory for everything that this makes
#   ERRAND_RESULT                                   the file that tells how it ended: a word, then a sentence
#                                                   or, after `Built`, the digest
#
# A stop is one SIGTERM to this shell, which ends of it; with its container goes all that it started.
set -u

work=$ERRAND_WORK
push=$ERRAND_PUSH
newline='
'

say() {
    printf '%s\n' "$*"
}

# Leaves word of how it ended. The file holds 4096 bytes.
settle() {
    printf '%s\n%s\n' "$1" "$2" | head -c 4000 >"$ERRAND_RESULT"
}

# Ends: a word, a sentence, the exit code.
fail() {
    settle "$1" "$2"
    exit "${3:-1}"
}

refuse() {
    say "$1"
    fail SpecInvalid "$1"
}

# Runs a command whose output is the build's, and keeps its last lines; gives its exit code.
followed() {
    mkfifo "$work/said"
    tail -n 100 <"$work/said" >"$work/last" &
    keeper=$!
    { "$@" </dev/null; echo $? >"$work/code"; } 2>&1 | tee "$work/said"
    wait $keeper
    rm "$work/said"
    return "$(cat "$work/code")"
}

# What the last command said of its end.
last_error() {
    grep -i '^error: ' "$work/last" | tail -n 1 | sed 's/^[^:]*: //'
}

git_words() {
    grep -E '^(fatal|error|remote):' "$work/last" | tail -n 3 | tr '\n' ' ' | tail -c 500
}

fetch() {
    followed git --git-dir="$work/git" fetch --no-tags --no-recurse-submodules --no-write-fetch-head \
        --update-head-ok "$@"
}

# Fetches the one commit; all branches and tags only from servers that give no single ones.
fetch_commit() {
    fetch --depth=1 -- "$ERRAND_URL" "$ERRAND_COMMIT" && return
    words=$(git_words)
    if grep -q -E 'unadvertised object|dumb http' "$work/last"; then
        fetch -- "$ERRAND_URL" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' &&
            git --git-dir="$work/git" cat-file -e "$ERRAND_COMMIT^{commit}" && return
    elif ! grep -q -i -E "$final" "$work/last"; then
        sleep 1
        fetch --depth=1 -- "$ERRAND_URL" "$ERRAND_COMMIT" && return
        words=$(git_words)
    fi
    fail FetchFailed "git: $words"
}

# What trying again does not help against.
final='authentication failed|could not read (username|password)|not found|does not exist|permission denied'
final="$final|not our ref|not appear to be a git repository|transport .* not allowed|redirect|error: 40[0134]"

check_out() {
    command -v git >/dev/null || {
        say "The image of the builder has no git."
        fail BuilderUnfit "The image of the builder has no git."
    }
    mkdir "$work/tree"
    format=sha1
    [ ${#ERRAND_COMMIT} -ne 64 ] || format=sha256
    git init --quiet --bare --template= --object-format="$format" "$work/git" || fail FetchFailed "git: init"
    say "Fetching $ERRAND_REPOSITORY."
    fetch_commit
    followed git --git-dir="$work/git" --work-tree="$work/tree" \
        read-tree --reset -u --no-recurse-submodules "$ERRAND_COMMIT" || fail FetchFailed "git: $(git_words)"
    rm -rf "$work/git"
    say "Checked out $ERRAND_COMMIT."
    # None of this is for the git that a builder may start.
    for name in $(env | sed -n 's/^\(GIT_[A-Z0-9_]*\)=.*/\1/p'); do
        unset "$name"
    done
}

# Puts into `real` where a path of the checkout leads to: what it is for people, the path.
find_inside() {
    root=$(realpath "$work/tree")
    case $2 in
        /*) refuse "The $1 $2 lies outside of the repository." ;;
    esac
    [ -e "$root/$2" ] || refuse "The $1 $2 is not in this commit."
    real=$(realpath "$root/$2" && printf x) # the x keeps a line end that is part of the name
    real=${real%"${newline}x"}
    case $real/ in
        "$root"/*) ;;
        *) refuse "The $1 $2 lies outside of the repository." ;;
    esac
}

find_paths() {
    find_inside context "$ERRAND_CONTEXT"
    [ -d "$real" ] || refuse "The context $ERRAND_CONTEXT is no directory."
    context=$real
    find_inside Dockerfile "$ERRAND_DOCKERFILE"
    [ -f "$real" ] || refuse "The Dockerfile $ERRAND_DOCKERFILE is no file."
    case $real in
        # Buildah gives these to cpp(1), where `#include` reads any file of this container.
        *.in) refuse "The Dockerfile $ERRAND_DOCKERFILE must not end in .in." ;;
    esac
    dockerfile=$real
}

# Ends after a build that did not: the exit code that people are told.
build_failed() {
    say "The build ended with exit code $1."
    fail ImageFailed "The build ended with exit code $1." "$1"
}

# Puts the authorities of registries where the builder looks for them.
place_authorities() {
    number=0
    for host in ${ERRAND_AUTHORITIES-}; do
        number=$((number + 1))
        mkdir -p "$1/$host"
        printenv "ERRAND_AUTHORITY_$number" >"$1/$host/ca.crt"
    done
}

# Starts BuildKit's daemon, by which user namespaces are set up first unless this is root.
start_buildkit() {
    export BUILDKIT_HOST="unix://$work/buildkit.sock"
    flags=${BUILDKITD_FLAGS-"--oci-worker-no-process-sandbox"} # a pod cannot mount /proc anew
    if [ -n "${ERRAND_REGISTRIES-}" ]; then
        place_authorities "$work/certs"
        say "$ERRAND_REGISTRIES" >"$work/buildkitd.toml"
        flags="$flags --config=$work/buildkitd.toml"
    fi
    rootless=rootlesskit
    [ "$(id -u)" -ne 0 ] || rootless=
    # shellcheck disable=SC2086 # the flags are words, as in BuildKit's own script
    $rootless buildkitd $flags --addr="$BUILDKIT_HOST" --root="$work/buildkit" >"$work/daemon" 2>&1 </dev/null &
    daemon=$!
    until buildctl debug workers >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || {
            tail -n 20 "$work/daemon"
            fail BuilderUnfit "BuildKit does not start: $(grep -i error "$work/daemon" | tail -n 1)"
        }
        sleep 0.1
    done
}

with_buildkit() {
    start_buildkit
    cache=${ERRAND_CACHE:-$push}
    followed buildctl build --progress=plain --frontend=dockerfile.v0 "$@" \
        --local=context="$context" --local=dockerfile="${dockerfile%/*}" --opt=filename="${dockerfile##*/}" \
        --import-cache="type=registry,ref=$cache:buildcache" \
        --export-cache="type=registry,ref=$cache:buildcache,mode=max,ignore-error=true" \
        --output="type=image,name=$push:$ERRAND_COMMIT,push=true" --metadata-file="$work/metadata" ||
        buildkit_failed $?
    sed -n 's/.*"containerimage\.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$work/metadata" >"$work/digest"
}

# Every line that a step says has its number before it, so that none looks like these.
buildkit_failed() {
    kill -0 "$daemon" 2>/dev/null || {
        tail -n 20 "$work/daemon"
        fail EngineUnavailable "BuildKit ended before the build: $(tail -n 1 "$work/daemon")"
    }
    case $(last_error) in
        *'failed to solve: failed to push '*) fail PushFailed "$(last_error)" "$1" ;;
    esac
    code=$(last_error | sed -n 's/.* did not complete successfully: exit code: \([0-9]*\)$/\1/p')
    build_failed "${code:-$1}"
}

in_storage() {
    buildah --storage-driver="$driver" --root="$work/storage" --runroot="$work/run" "$@"
}

# Has Buildah store everything here: by the kernel's overlay where that is possible, else as whole copies. The
# image's own settings want a device that pods do not have.
choose_storage() {
    export CONTAINERS_STORAGE_CONF="$work/storage.conf"
    printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' "$work/run" "$work/storage" \
        >"$CONTAINERS_STORAGE_CONF"
    for driver in overlay vfs; do
        if in_storage info >"$work/last" 2>&1; then
            # It goes on without, and then no step that has to have another user can run.
            grep -E 'new[ug]idmap|single mapping' "$work/last" | sed 's/.*msg="//; s/\\n"$//; s/"$//' >"$work/unmapped"
            return 0
        fi
        rm -rf "$work/storage" "$work/run"
    done
    cat "$work/last"
    fail BuilderUnfit "Buildah does not start: $(head -n 1 "$work/last")"
}

# Buildah looks for the registries and their authorities of a user beside those of its image.
know_registries() {
    [ -n "${ERRAND_REGISTRIES-}${ERRAND_AUTHORITIES-}" ] || return 0
    export HOME="$work/home"
    mkdir -p "$HOME/.config/containers/registries.conf.d"
    say "$ERRAND_REGISTRIES" >"$HOME/.config/containers/registries.conf.d/errand.conf"
    place_authorities "$HOME/.config/containers/certs.d"
}

with_buildah() {
    choose_storage
    know_registries
    if [ -n "${ERRAND_CACHE-}" ]; then # of which it makes a tag for every layer
        set -- "$@" --cache-from="$ERRAND_CACHE" --cache-to="$ERRAND_CACHE"
    fi
    followed in_storage build --isolation=chroot --layers --force-rm "$@" --file="$dockerfile" \
        --tag="$push:$ERRAND_COMMIT" "$context" || buildah_failed $?
    say "Pushing to $push."
    followed in_storage push --digestfile="$work/digest" "$push:$ERRAND_COMMIT" || fail PushFailed "$(last_error)"
}

# It pushes every layer as soon as it is made, to be found by the next build.
buildah_failed() {
    case $(last_error) in
        'failed pushing cache to '*) fail PushFailed "$(last_error)" "$1" ;;
    esac
    [ ! -s "$work/unmapped" ] ||
        fail BuilderUnfit "The builder may not map users, so no step can run: $(head -n 1 "$work/unmapped")"
    build_failed "$1"
}

kind=$1
shift
check_out
find_paths
"with_$kind" "$@"
digest=$(cat "$work/digest")
[ -n "$digest" ] || fail PushFailed "The builder did not say which digest it pushed."
settle Built "$digest"
