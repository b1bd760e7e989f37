#compdef bellwire
# Completion of bellwire's command line for zsh: whatever can stand there, bellwire itself knows.

_bellwire() {
    local line offered meaning
    local -a plain settings patterns
    for line in "${(@f)$(${(Q)words[1]} complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        offered=${line%%$'\t'*} meaning=${line#*$'\t'}
        case $offered in
        '') ;;
        \*/) patterns+=('*(-/)') ;;
        \**) patterns+=($offered) ;;
        *=) settings+=("${offered//:/\\:}:$meaning") ;;
        *) plain+=("${offered//:/\\:}:$meaning") ;;
        esac
    done
    compset -P '*='
    (( $#plain )) && _describe -V 'bellwire' plain
    (( $#settings )) && _describe -V 'setting' settings -S ''
    (( $#patterns )) && _files -g "${(j: :)patterns}"
}

if [[ $funcstack[1] == _bellwire ]]; then
    _bellwire "$@"
else
    compdef _bellwire bellwire
fi
