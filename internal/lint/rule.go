package lint

import (
	"fmt"
	"strings"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // would block production, break what runs, or lose data
	Warning Severity = "warning" // will cost somebody time later
)

// Rule is one thing that must not stand in a migration.
type Rule struct {
	Name     string
	Severity Severity
	// What it finds, in one sentence, and Why that is bad.
	What, Why string
	// Safe is the safe way to the same end, as SQL. Words in braces are replaced by the names of a finding.
	Safe string

	// everywhere: it holds for files up to the baseline too. refused: `up` refuses the file, so no comment suppresses it.
	// down: it looks at Down too. elsewhere: it may be found where there is a database, so its suppressions never count
	// as unused.
	everywhere, refused, down, elsewhere bool

	// A rule looks at each statement, at each half before its statements, or at the file after both.
	statement func(*statement)
	half      func(*half)
	file      func(*file)
}

// Rules returns all rules, in the order of their names.
func Rules() []Rule {
	all := make([]Rule, len(rules))
	for i, r := range rules {
		all[i] = *r
	}
	return all
}

// rules are in the order of their names.
var rules = []*Rule{
	&banChar, &breaksPreviousRelease, &clusterWide, &concurrentIfNotExists, &concurrentInTransaction, &concurrentUnnamed,
	&constraintValidatesNow, &domainWithConstraint, &downMissing, &downNotInverse, &dropConstraintWeakens,
	&dropIndexBlocking, &dropWithoutTrash, &enumValueInTransaction, &envsub, &exclusionConstraint, &foreignKeyWithoutIndex, &headerEmpty, &hiddenLock,
	&identifierTooLong, &indexNotConcurrent, &namePattern, &noTransactionStatements, &nolint, &numberDuplicate, &numberGap, &partitionBlocking,
	&preferBigint, &preferIdentity, &preferJSONB, &preferText, &preferTimestamptz, &refreshBlocking, &rename, &requiredColumn, &rowsChanged, &rowsRefuseIt, &sessionSet,
	&setNotNullScan, &syntax, &tooLarge, &transactionControl, &triggerRecreated, &typeChangeRewrite, &unbatchedBackfill,
	&uniqueOrPrimaryBuildsIndex, &unreadableFile, &upMissing, &vacuumFullOrCluster, &volatileDefault, &workWhileLocked,
}

func ruleByName(name string) *Rule {
	for _, r := range rules {
		if r.Name == name {
			return r
		}
	}
	panic(fmt.Sprintf("lint has no rule %q", name))
}

// examples stand in the safe way where a finding has no names of its own.
var examples = []string{
	"{table}", "public.notes", "{column}", "author", "{type}", "text", "{constraint}", "notes_author_check", "{index}", "notes_author_idx",
	"{other}", "public.users", "{file}", "00058_add_notes_author.sql",
	"{create}", "CREATE INDEX CONCURRENTLY notes_author_idx ON public.notes (author)",
	"{add}", "ALTER TABLE public.notes ADD CONSTRAINT notes_author_check CHECK (author <> '') NOT VALID",
	"{trigger}", "CREATE OR REPLACE TRIGGER notes_touch BEFORE UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()",
	"{object}", "column author of notes", "{statement}", "ALTER TABLE public.notes DROP COLUMN author", "{default}", "''", "{kind}", "UNIQUE",
	"{old}", "58_notes_author.sql", "{beside}", "ALTER TABLE public.notes ADD COLUMN writer text",
	"{later}", "ALTER TABLE public.notes ALTER COLUMN author SET DEFAULT gen_random_uuid()",
	"{build}", aloneOutsideTransaction + "CREATE INDEX CONCURRENTLY notes_author_idx ON public.notes (author)",
	"{attach}", aloneOutsideTransaction + "ALTER TABLE public.notes DETACH PARTITION public.notes_2031 CONCURRENTLY",
	"{server}", "CREATE ROLE reader NOLOGIN",
	"{drop}", "DROP INDEX CONCURRENTLY public.notes_author_idx",
}

// SafeExample is the safe way with names made up.
func (r Rule) SafeExample() string { return exampleNames.Replace(r.Safe) }

var exampleNames = strings.NewReplacer(examples...)

func (r Rule) finding(file string, line int, message string, names []string) Finding {
	safe := r.Safe
	if len(names) == 0 && !strings.Contains(safe, "git mv") { // nothing in it is of this file
		safe = "-- for example\n" + safe
	}
	for i := 0; i+1 < len(names); i += 2 {
		safe = strings.ReplaceAll(safe, names[i], names[i+1])
	}
	return Finding{Rule: r.Name, Severity: r.Severity, File: file, Line: max(line, 1), Message: message, Safe: exampleNames.Replace(safe)}
}

// Marks says what is special about a rule, in a word or two.
func (r Rule) Marks() string {
	switch {
	case r.refused:
		return "up refuses"
	case r.everywhere:
		return "always"
	default:
		return ""
	}
}
