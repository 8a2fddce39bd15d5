package lint

import (
	"fmt"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var identifierTooLong = Rule{
	Name:     "identifier-too-long",
	Severity: Error,
	What:     "A name of more than 63 bytes.",
	Why: "PostgreSQL cuts it off without an error. The object is then not called what the file says: Down and later " +
		"files miss it, or two names become one.",
	Safe:       `CREATE INDEX CONCURRENTLY {index} ON {table} ({column}); -- at most 63 bytes; a letter with an accent takes two`,
	everywhere: true,
	statement:  checkIdentifierTooLong,
}

const maxIdentifier = 63

func checkIdentifierTooLong(s *statement) {
	if !hasLongWord(s.sql) { // which is dear to look at closely
		return
	}
	scan, err := pg.Scan(s.sql)
	if err != nil {
		return
	}
	told := map[string]bool{}
	for _, token := range scan.Tokens {
		if token.Token != pg.Token_IDENT && token.Token != pg.Token_UIDENT || int(token.End) > len(s.sql) || token.Start > token.End {
			continue
		}
		name := strings.Trim(s.sql[token.Start:token.End], `"`)
		if len(name) > maxIdentifier && !told[name] {
			told[name] = true
			s.report(0, fmt.Sprintf("the name %s has %d bytes, and PostgreSQL cuts it off after %d; give it a shorter one", name, len(name), maxIdentifier))
		}
	}
}

// hasLongWord reports whether more bytes than a name may have follow one another without a blank or punctuation, or anything
// stands in double quotes, where those may be part of a name.
func hasLongWord(sql string) bool {
	length := 0
	for i := range len(sql) {
		switch c := sql[i]; {
		case c == '"':
			return true
		case c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z':
			if length++; length > maxIdentifier {
				return true
			}
		default:
			length = 0
		}
	}
	return false
}
