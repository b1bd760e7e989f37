# Completion of bellwire's command line for fish: whatever can stand there, bellwire itself knows.

function __bellwire_complete
    set -l words (commandline -opc)
    set -l word (string unescape -- (commandline -ct | string replace -r -- '^["\']' ''))
    set -l done (string match -r -- '^.*=' "$word")
    for line in ($words[1] complete -- $words[2..] "$word" 2>/dev/null)
        set -l offered (string split -m 1 \t -- $line)
        switch $offered[1]
            case '\*/'
                __fish_complete_directories (string replace -r -- '^.*=' '' $word)
            case '\**'
                __fish_complete_suffix (string sub -s 2 -- $offered[1])
            case '*'
                printf '%s%s\t%s\n' "$done" $offered[1] "$offered[2]"
        end
    end
end

complete -c bellwire -f -a '(__bellwire_complete)'
