package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var nolint = Rule{
	Name:     "nolint",
	Severity: Warning,
	What:     "A comment that should suppress a finding does not count: it has no reason, names no rule, or suppresses nothing.",
	Why: "A suppression is a decision, and whoever reads it later needs its reason. One that suppresses nothing is left over from a " +
		"statement that was changed, and would hide the next finding.",
	Safe:       "-- portaldb:nolint rename: no release reads the old name since 2.4\nALTER TABLE public.notes RENAME COLUMN author TO writer;",
	everywhere: true,
}

// suppression is one comment -- portaldb:nolint RULE: reason.
type suppression struct {
	line         int
	rule, reason string
	// to is the last line that it speaks for: its own, or, where it stands on a line alone, that of the statement below.
	to   int
	used bool
}

// suppressionList is in the order of lines.
type suppressionList []*suppression

var nolintComment = regexp.MustCompile(`--\s*portaldb:nolint\b[ \t]*([^:\r\n]*?)[ \t]*(?::[ \t]*(.*?)[ \t\r]*)?$`)

// suppressions reads a file's comments. One on lines above a statement speaks for the line below those lines.
func suppressions(body string) suppressionList {
	if !strings.Contains(body, "portaldb:nolint") {
		return nil
	}
	var list suppressionList
	to := 0
	for i, line := range slices.Backward(strings.Split(body, "\n")) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") || to == 0 {
			to = i + 1
		}
		if match := nolintComment.FindStringSubmatch(line); match != nil {
			list = append(list, &suppression{line: i + 1, rule: match[1], reason: match[2], to: to})
		}
	}
	slices.Reverse(list)
	return list
}

// suppress reports whether a comment with a reason suppresses a rule's finding on what stands in lines first to last.
func (list suppressionList) suppress(rule string, first, last int) bool {
	found := false
	from, _ := slices.BinarySearchFunc(list, first, func(s *suppression, line int) int { return s.to - line })
	for _, s := range list[from:] {
		if s.line > last {
			break
		}
		if s.rule == rule && s.reason != "" {
			s.used, found = true, true
		}
	}
	return found
}

// checkSuppressions finds the comments that do not count.
func checkSuppressions(f *file) {
	for _, s := range f.suppressions {
		i := slices.IndexFunc(rules, func(r *Rule) bool { return r.Name == s.rule })
		var message string
		switch {
		case s.rule == "" || i < 0:
			message = fmt.Sprintf("there is no rule %q; write -- portaldb:nolint RULE: reason", s.rule)
		case s.reason == "":
			message = fmt.Sprintf("the suppression of %s has no reason, so it does not count; write -- portaldb:nolint %s: reason", s.rule, s.rule)
		case rules[i].refused:
			message = fmt.Sprintf("%s cannot be suppressed: up refuses the file", s.rule)
		case !s.used && !rules[i].elsewhere:
			message = fmt.Sprintf("there is no finding of %s here; remove the comment", s.rule)
		default:
			continue
		}
		f.findings = append(f.findings, nolint.finding(f.Name, s.line, message, nil))
	}
}
