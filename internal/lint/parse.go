package lint

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"
	"github.com/pganalyze/pg_query_go/v6/parser"
)

// SyntaxError says why SQL cannot be read.
type SyntaxError struct {
	Message string
	// Offset is where in the SQL, in bytes.
	Offset int
}

func (e *SyntaxError) Error() string { return e.Message }

// maxNesting is how deep a statement may nest. The parser, which is C, walks its tree by recursion, and a stack that
// overflows there ends the process: measured at about 20,000 on a stack of 8 MiB.
const maxNesting = 3000

// Parse reads SQL as PostgreSQL does. Its errors are of type [*SyntaxError]; among them is what would make the parser
// itself crash or stop half-way.
func Parse(sql string) (*pg.ParseResult, error) {
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return nil, &SyntaxError{"there is a zero byte; PostgreSQL reads no further", i}
	}
	for i, r := range sql {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(sql[i:]); size == 1 {
				return nil, &SyntaxError{"a byte is not UTF-8; save the file as UTF-8", i}
			}
		}
	}
	// A statement cannot nest deeper than it is long.
	if len(sql) > maxNesting {
		if depth, err := nesting(sql); err != nil {
			return nil, syntaxError(sql, err)
		} else if depth > maxNesting {
			return nil, &SyntaxError{fmt.Sprintf("it nests deeper than %d levels; split it", maxNesting), 0}
		}
	}
	tree, err := pg.Parse(sql)
	if err != nil {
		return nil, syntaxError(sql, err)
	}
	return tree, nil
}

func syntaxError(sql string, err error) error {
	var wrong *parser.Error
	if !errors.As(err, &wrong) {
		return &SyntaxError{"it cannot be read: " + strings.ReplaceAll(err.Error(), "\u00a0", " "), 0}
	}
	offset := 0
	for range wrong.Cursorpos - 1 { // which counts characters
		_, size := utf8.DecodeRuneInString(sql[offset:])
		offset += size
	}
	return &SyntaxError{wrong.Message, min(offset, len(sql))}
}

// nesting is a bound on the depth of a statement's tree, from its tokens alone: what follows one another inside a pair
// of brackets may nest to the left (1 + 1 + 1), up to the next comma. Names, constants, AND and OR add no depth.
func nesting(sql string) (int, error) {
	scan, err := pg.Scan(sql)
	if err != nil {
		return 0, err
	}
	type level struct{ chain, kept int } // a comma ends the chain, but neither the brackets nor a chain of UNION
	levels := []level{{}}
	depth, deepest := 0, 0
	for _, token := range scan.Tokens {
		top := &levels[len(levels)-1]
		switch token.Token {
		case pg.Token_SQL_COMMENT, pg.Token_C_COMMENT, pg.Token_IDENT, pg.Token_UIDENT, pg.Token_SCONST, pg.Token_USCONST,
			pg.Token_ICONST, pg.Token_FCONST, pg.Token_BCONST, pg.Token_XCONST, pg.Token_PARAM, pg.Token_AND, pg.Token_OR,
			pg.Token_ASCII_46:
		case pg.Token_ASCII_44: // comma
			depth -= top.chain
			top.chain = 0
		case pg.Token_ASCII_59: // semicolon
			if len(levels) == 1 {
				depth, *top = 0, level{}
			}
		case pg.Token_ASCII_40, pg.Token_ASCII_91: // brackets open
			levels = append(levels, level{kept: 1})
			depth++
		case pg.Token_ASCII_41, pg.Token_ASCII_93: // and close
			if len(levels) > 1 {
				depth -= top.chain + top.kept
				levels = levels[:len(levels)-1]
				levels[len(levels)-1].chain++
				depth++
			}
		case pg.Token_UNION, pg.Token_INTERSECT, pg.Token_EXCEPT:
			top.kept++
			depth++
		default:
			top.chain++
			depth++
		}
		deepest = max(deepest, depth)
	}
	return deepest, nil
}
