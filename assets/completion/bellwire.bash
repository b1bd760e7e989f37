# Completion of bellwire's command line for bash: whatever can stand there, bellwire itself knows.

_bellwire() {
    local line=${COMP_LINE:0:COMP_POINT} word=$2 offered meaning folders=
    COMPREPLY=()
    while IFS=$'\t' read -r offered meaning; do
        case $offered in
        \**) # files of such names, and folders on the way to them
            folders=yes
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X "!$offered" -- "$word")
            ;;
        \#*)
            compopt -o filenames # which makes bash quote it
            COMPREPLY+=("$offered")
            ;;
        *=)
            compopt -o nospace
            COMPREPLY+=("$offered")
            ;;
        *)
            COMPREPLY+=("$offered")
            ;;
        esac
    done < <("$1" complete "$line" 2>/dev/null)
    if [[ $folders ]]; then
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
    fi
}

complete -F _bellwire bellwire
