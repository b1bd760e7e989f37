# Completion of bellwire's command line for bash: whatever can stand there, bellwire itself knows.

_bellwire() {
    local line=${COMP_LINE:0:COMP_POINT} offered meaning folders=
    local word=${2##*=} # what is offered is what comes behind it
    local done=${2%"$word"} # which is nothing, unless somebody has taken = out of COMP_WORDBREAKS
    COMPREPLY=()
    while IFS=$'\t' read -r offered meaning; do
        case $offered in
        \**) # files of such names, and folders on the way to them
            folders=yes
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$done" -f -X "!$offered" -- "$word")
            ;;
        \#*)
            compopt -o filenames # which makes bash quote it
            COMPREPLY+=("$done$offered")
            ;;
        *=)
            compopt -o nospace
            COMPREPLY+=("$done$offered")
            ;;
        *)
            COMPREPLY+=("$done$offered")
            ;;
        esac
    done < <("$1" complete "$line" 2>/dev/null)
    if [[ $folders ]]; then
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$done" -d -- "$word")
    fi
}

complete -F _bellwire bellwire
