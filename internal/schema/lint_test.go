package schema_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"portaldb/internal/schema"
	"portaldb/migrations"
)

// TestLint_own holds that our own migrations pass without a suppression, and those after the baseline without a warning.
func TestLint_own(t *testing.T) {
	t.Parallel()
	findings, err := schema.Lint(migrations.FS, schema.Baseline)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v, findings %+v", err, findings)
	}
	files, err := schema.Files(migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Body, "nolint") {
			t.Errorf("%s has a suppression", f.Name)
		}
	}
	// They are read, and the exemption is what the baseline needs.
	without, err := schema.Lint(migrations.FS, 0)
	if err != nil || len(without) == 0 {
		t.Errorf("%v, no findings without the exemption", err)
	}
	for _, f := range without {
		if f.File > files[schema.Baseline].Name {
			t.Errorf("found after the baseline: %+v", f)
		}
	}
}

func TestLint_refuses_no_file(t *testing.T) {
	t.Parallel()
	file := func(body string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(body)} }
	set := fstest.MapFS{
		"00001_create_a.sql":                file(""),
		"00002_create_b.sql":                file("-- +goose Up\nSELECT '\xff';\n-- +goose Down\nSELECT 1\x00;\n"),
		"00004_create_c.sql":                file("-- +goose Up\nSELECT 1" + strings.Repeat("+1", 100_000) + ";\n-- +goose Down\nSELECT;\n"),
		"00005_create_d.sql":                {Data: []byte("x"), Mode: fs.ModeNamedPipe},
		"00006_create_e.sql":                file(strings.Repeat(" ", 17<<20)),
		"00007_create_f.sql":                file(strings.Repeat("x", 5<<20)),
		"00007_create_g.sql":                file("-- +goose Up\nSELECT;\n-- +goose Down\nSELECT;\n"),
		"notes.sql":                         file("-- +goose Up\nSELECT;\n-- +goose Down\nTRUNCATE;\n"),
		"99999999999999999999_create_i.sql": file("-- +goose Up\nSELECT;\n-- +goose Down\nSELECT;\n"),
	}
	findings, err := schema.Lint(set, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule))
		if f.Message == "" || f.Line < 1 {
			t.Errorf("%+v", f)
		}
	}
	for _, want := range []string{
		"00001_create_a.sql:1 unreadable-file", "00002_create_b.sql:2 syntax", "00002_create_b.sql:4 syntax", "00004_create_c.sql:1 number-gap",
		"00004_create_c.sql:2 syntax", "00005_create_d.sql:1 unreadable-file", "00006_create_e.sql:1 too-large", "00007_create_f.sql:1 too-large",
		"00007_create_g.sql:1 number-duplicate", "notes.sql:1 name-pattern", "notes.sql:4 syntax", "99999999999999999999_create_i.sql:1 name-pattern",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// TestLint_lines holds that the same statement in both halves is told apart.
func TestLint_lines(t *testing.T) {
	t.Parallel()
	body := "-- +goose Up\r\nSELECT 1;\r\nSELECT 1;\r\n\r\n-- +goose Down\r\nSELECT 1;\r\nCOMMIT;\r\nSELECT 1;\r\nCOMMIT;\r\n"
	findings, err := schema.Lint(fstest.MapFS{"00001_create_a.sql": {Data: []byte(body)}}, 0)
	if err != nil || len(findings) != 2 || findings[0].Line != 7 || findings[1].Line != 9 {
		t.Errorf("%v %+v", err, findings)
	}
}

// FuzzLint has goose and all rules read any text.
func FuzzLint(f *testing.F) {
	for _, pattern := range []string{"../../migrations/*.sql", "../lint/testdata/*/*.sql", "../lint/testdata/*.sql"} {
		names, _ := filepath.Glob(pattern)
		if len(names) == 0 {
			f.Fatalf("no files at %s", pattern)
		}
		for _, name := range names {
			body, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(body))
		}
	}
	before, err := os.ReadFile("../lint/testdata/before.sql")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		findings, err := schema.Lint(fstest.MapFS{"00001_create_schema.sql": {Data: before}, "00002_add_case.sql": {Data: []byte(body)}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range findings {
			if finding.File == "00002_add_case.sql" && (finding.Line < 1 || finding.Line > strings.Count(body, "\n")+1 || finding.Message == "" || finding.Severity == "") {
				t.Errorf("%+v", finding)
			}
		}
	})
}

// BenchmarkLint reads 1,000 files of 10 statements, and as many in their Down.
func BenchmarkLint(b *testing.B) {
	set := fstest.MapFS{}
	for i := range 1000 {
		var up, down strings.Builder
		for j := range 2 {
			fmt.Fprintf(&up, `CREATE TABLE public.t%[1]d_%[2]d (
    id bigint GENERATED ALWAYS AS IDENTITY, author bigint NOT NULL, title text, created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT t%[1]d_%[2]d_pkey PRIMARY KEY (id), CONSTRAINT t%[1]d_%[2]d_title_check CHECK (title <> '')
);
CREATE INDEX t%[1]d_%[2]d_author_idx ON public.t%[1]d_%[2]d (author);
ALTER TABLE public.t%[1]d_%[2]d ADD CONSTRAINT t%[1]d_%[2]d_fkey FOREIGN KEY (author) REFERENCES public.users (id);
CREATE TRIGGER touch BEFORE UPDATE ON public.t%[1]d_%[2]d FOR EACH ROW EXECUTE FUNCTION public.touch();
INSERT INTO public.t%[1]d_%[2]d (author) SELECT id FROM public.users WHERE email IS NOT NULL;
`, i, j)
			fmt.Fprintf(&down, "ALTER TABLE public.t%[1]d_%[2]d DROP COLUMN title;\nDELETE FROM public.t%[1]d_%[2]d;\nDROP TRIGGER touch ON public.t%[1]d_%[2]d;\nDROP INDEX public.t%[1]d_%[2]d_author_idx;\nDROP TABLE public.t%[1]d_%[2]d;\n", i, j)
		}
		set[fmt.Sprintf("%05d_create_t%d.sql", i+1, i)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + up.String() + "\n-- +goose Down\n" + down.String())}
	}
	for b.Loop() {
		findings, err := schema.Lint(set, 0)
		if err != nil || len(findings) > 0 {
			b.Fatalf("%v %+v", err, findings[0])
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/1000-files")
}

// TestLint_encodings says what an editor did to a file, and not what goose makes of it.
func TestLint_encodings(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"\xef\xbb\xbf-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n": "byte order mark",
		"\xff\xfe-\x00-\x00": "UTF-16",
		"-- +goose Up\rSELECT 1;\r-- +goose Down\rSELECT 1;\r": "CR alone",
	} {
		findings, err := schema.Lint(fstest.MapFS{"00001_create_a.sql": {Data: []byte(body)}}, 0)
		if err != nil || len(findings) != 1 || !strings.Contains(findings[0].Message, want) {
			t.Errorf("%q: %+v, %v", want, findings, err)
		}
	}
}
