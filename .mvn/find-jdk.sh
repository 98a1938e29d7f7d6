# Finds a JDK without starting one. Sourced by ./mvnw and ./tombolo; POSIX sh, defines functions only.

# jdk_major HOME: prints the major version of the JDK or JRE at HOME, nothing if there is none.
# The release file answers without starting a JVM; old or odd packages without one are asked.
jdk_major() {
    [ -x "$1/bin/java" ] || return 0
    _line=
    if [ -r "$1/release" ]; then
        _line=$(sed -n 's/^JAVA_VERSION="\(.*\)".*/\1/p' "$1/release" | head -n 1)
    fi
    if [ -z "$_line" ]; then
        _line=$("$1/bin/java" -version 2>&1 </dev/null | sed -n 's/.* version "\([^"]*\)".*/\1/p' | head -n 1)
    fi
    case $_line in
        1.*) _line=${_line#1.} ;;
    esac
    _line=${_line%%[!0-9]*}
    [ -z "$_line" ] || printf '%s\n' "$_line"
}

# jdk_of_path: prints the home behind the `java` of the PATH, links followed; nothing if there is none.
jdk_of_path() {
    _java=$(command -v java 2>/dev/null) || return 0
    while [ -L "$_java" ]; do
        _target=$(readlink "$_java")
        case $_target in
            /*) _java=$_target ;;
            *) _java=${_java%/*}/$_target ;;
        esac
    done
    _home=$(cd "${_java%/*}/.." 2>/dev/null && pwd -P) || return 0
    # The stub of macOS lives in /usr/bin and is no JDK; neither is a shim of a version manager.
    [ "$_home" = /usr ] || printf '%s\n' "$_home"
}

# jdk_places: prints every home worth a look, one a line, best first.
jdk_places() {
    [ -z "${JAVA_HOME:-}" ] || printf '%s\n' "$JAVA_HOME"
    jdk_of_path
    for _home in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/java/* /opt/* /opt/java/* \
        "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "${HOME:-/nonexistent}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
        [ ! -x "$_home/bin/java" ] || printf '%s\n' "$_home"
    done
}

# find_jdk LEAST MOST TOOL: prints the first home whose major version is within the bounds and which has bin/TOOL
# (java, or javac for a full JDK); returns 1 if there is none.
find_jdk() {
    _found=$(jdk_places | while IFS= read -r _place; do
        [ -x "$_place/bin/$3" ] || continue
        _major=$(jdk_major "$_place")
        if [ "${_major:-0}" -ge "$1" ] && [ "${_major:-0}" -le "$2" ]; then
            printf '%s\n' "$_place"
            break
        fi
    done)
    [ -n "$_found" ] || return 1
    printf '%s\n' "$_found"
}
