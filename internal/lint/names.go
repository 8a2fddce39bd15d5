package lint

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	fileName   = regexp.MustCompile(`^([0-9]{5})_[a-z][a-z0-9]*(_[a-z0-9]+)+\.sql$`)
	fileNumber = regexp.MustCompile(`^([0-9]{1,18})_?(.*)$`)
)

// Version is the number that a file's name begins with; zero where it begins with none.
func Version(name string) int64 {
	match := fileNumber.FindStringSubmatch(name)
	if match == nil {
		return 0
	}
	version, _ := strconv.ParseInt(match[1], 10, 64) // 18 digits always fit
	return version
}

// Names returns what is wrong with the names of the files of a folder, which are in lexical order: a name off the pattern
// NNNNN_verb_object.sql, a gap, two files of one number. The safe way is the renumbering to do.
func Names(names []string) []Finding {
	var findings []Finding
	var next int64 = 1
	holder := map[int64]string{}
	var latest int64
	for _, name := range names {
		latest = max(latest, Version(name))
	}
	found := func(r *Rule, name, to, message string) {
		findings = append(findings, r.finding(name, 1, message, []string{"{old}", shellQuote(name), "{file}", shellQuote(to)}))
	}
	for _, name := range names {
		version := Version(name)
		match := fileName.FindStringSubmatch(name)
		switch {
		case match == nil:
			found(&namePattern, name, "NNNNN_verb_object.sql", "a migration is named NNNNN_verb_object.sql: five digits, lower case, words joined by _")
			if version == 0 {
				continue
			}
		case version == 0:
			found(&numberGap, name, "00001"+name[5:], "numbers begin at 00001")
			continue
		}
		switch {
		case holder[version] != "":
			latest++
			found(&numberDuplicate, name, fmt.Sprintf("%05d_%s", latest, rest(name)),
				fmt.Sprintf("number %05d is taken by %s; give the newer of the two the next free number, %05d", version, holder[version], latest))
		case version > next:
			found(&numberGap, name, fmt.Sprintf("%05d_%s", next, rest(name)),
				fmt.Sprintf("number %05d is missing before it; numbers have no gaps", next))
		}
		holder[version] = cmp.Or(holder[version], name)
		next = max(next, version+1)
	}
	return findings
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.,:+@%/][A-Za-z0-9_.,:+@%/-]*$`)

// shellQuote is a file's name as a shell takes it.
func shellQuote(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	if strings.HasPrefix(name, "-") { // which git would take for an option
		name = "./" + name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// rest is a file's name without its number.
func rest(name string) string {
	if match := fileNumber.FindStringSubmatch(name); match != nil {
		return match[2]
	}
	return name
}
