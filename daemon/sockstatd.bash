# SPDX-License-Identifier: Apache-2.0
# Completion for bash, from what --help of the same program says of its flags.

# The flags with their values, a line each: "--source auto|netlink|procfs".
_sockstatd_flags() {
	"$1" --help 2>/dev/null | sed -n 's/^  \(--[^= ]*\)=\{0,1\}\([^ ]*\)$/\1 \2/p'
}

_sockstatd() {
	local word=$2 flag=$3 flags values
	flags=$(_sockstatd_flags "$1")
	COMPREPLY=()

	# "=" is a word of its own.
	if [[ $word == = ]]; then
		word=
	elif [[ $flag == = ]]; then
		flag=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	values=$(awk -v flag="$flag" '$1 == flag { print $2 }' <<<"$flags")
	case $values in
	'')
		mapfile -t COMPREPLY < <(compgen -W "$(awk '{ print $1 ($2 ? "=" : "") }' <<<"$flags")" -- "$word")
		[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
		;;
	PATH)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		;;
	*'|'*)
		mapfile -t COMPREPLY < <(compgen -W "${values//|/ }" -- "$word")
		;;
	esac
}

complete -F _sockstatd sockstatd
