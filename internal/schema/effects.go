package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"portaldb/internal/catalog"
)

// Effects returns the effects that lie beside the migrations, in the order of their versions. A folder without them has
// none: what needs them says so.
func Effects(fsys fs.FS) ([]catalog.Effect, error) {
	names, err := fs.Glob(fsys, "effects/*.json")
	if err != nil {
		return nil, fmt.Errorf("list effects: %w", err)
	}
	var effects []catalog.Effect
	for i, name := range names {
		var e catalog.Effect
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if e.Version != int64(i+1) {
			return nil, fmt.Errorf("%s holds version %d, expected %d; run make generate", name, e.Version, i+1)
		}
		effects = append(effects, e)
	}
	return effects, nil
}

// WriteEffects writes one file an effect into the folder effects/ of dir, and removes those of versions that are gone. A file
// that differs in nothing but times stays as it is.
func WriteEffects(dir string, effects []catalog.Effect) error {
	if err := os.MkdirAll(filepath.Join(dir, "effects"), 0o755); err != nil {
		return fmt.Errorf("make the folder of effects: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, "effects", "*.json"))
	if err != nil {
		return fmt.Errorf("list effects: %w", err)
	}
	for _, name := range old {
		if !slices.ContainsFunc(effects, func(e catalog.Effect) bool { return filepath.Base(name) == filepath.Base(effectFile(e.Version)) }) {
			if err := os.Remove(name); err != nil {
				return fmt.Errorf("remove an old effect: %w", err)
			}
		}
	}
	for _, e := range effects {
		name := filepath.Join(dir, effectFile(e.Version))
		var kept catalog.Effect
		if data, err := os.ReadFile(name); err == nil && json.Unmarshal(data, &kept) == nil && compareEffect(kept, e) == "" {
			continue
		}
		data, err := encodeEffect(e)
		if err != nil {
			return fmt.Errorf("encode effect %05d: %w", e.Version, err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return fmt.Errorf("write an effect: %w", err)
		}
	}
	return nil
}

// encodeEffect writes an effect as JSON with one object a line, so that a review shows what changed and no more.
func encodeEffect(e catalog.Effect) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"version\": %d, \"name\": %q", e.Version, e.Name)
	if e.Checksum != "" {
		fmt.Fprintf(&b, ",\n \"checksum\": %q", e.Checksum)
	}
	if e.Class != "" {
		fmt.Fprintf(&b, ", \"class\": %q", e.Class)
	}
	list := func(name string, length int, at func(int) any) error {
		for i := range length {
			lead := ",\n"
			if i == 0 {
				lead = fmt.Sprintf(",\n %q: [\n", name)
			}
			b.WriteString(lead + "  ")
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(at(i)); err != nil {
				return err
			}
			b.Truncate(b.Len() - 1) // the encoder ends the line
		}
		if length > 0 {
			b.WriteString("\n ]")
		}
		return nil
	}
	err := errors.Join(
		list("added", len(e.Added), func(i int) any { return e.Added[i] }),
		list("changed", len(e.Changed), func(i int) any { return e.Changed[i] }),
		list("removed", len(e.Removed), func(i int) any { return e.Removed[i] }),
		list("rows", len(e.Rows), func(i int) any { return e.Rows[i] }),
		list("up", len(e.Up), func(i int) any { return e.Up[i] }),
		list("down", len(e.Down), func(i int) any { return e.Down[i] }),
		list("left", len(e.Left), func(i int) any { return e.Left[i] }),
		list("lost", len(e.Lost), func(i int) any { return e.Lost[i] }),
		list("refused", len(e.Refused), func(i int) any { return e.Refused[i] }))
	b.WriteString("}\n")
	return b.Bytes(), err
}

// CompareEffects returns an error that names the first way in which kept effects are out of step with measured ones, of the
// server with the given major version, and what to do; nil when they agree. Every measured version is looked for. Times are
// not compared, nor the places of columns, which depend on what else was done to the database. Of a server whose locks and
// definitions the files do not hold, catalogs, rows and classes are compared, as far as servers can be.
func CompareEffects(kept, measured []catalog.Effect, major int) error {
	for _, m := range measured {
		i := slices.IndexFunc(kept, func(k catalog.Effect) bool { return k.Version == m.Version })
		if i < 0 {
			return fmt.Errorf("%s is missing for %s; %s", effectFile(m.Version), m.Name, writeEffects)
		}
		a, b := kept[i], m
		if major != catalog.Postgres {
			a, b = comparableEffect(a, major), comparableEffect(b, major)
		}
		if difference := compareEffect(a, b); difference != "" {
			return fmt.Errorf("%s is out of step with %s; %s. The first difference:\n%s", effectFile(m.Version), m.Name, writeEffects, difference)
		}
	}
	return nil
}

const writeEffects = "make generate, or portaldb check --write, writes it"

// compareEffect tells the first difference of two effects as lines of their files; empty when there is none.
func compareEffect(kept, measured catalog.Effect) string {
	a, err := encodeEffect(timeless(kept))
	if err != nil {
		return err.Error()
	}
	b, err := encodeEffect(timeless(measured))
	if err != nil {
		return err.Error()
	}
	old, now := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range max(len(old), len(now)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "nothing more"
		}
		if line(old) != line(now) {
			return "  in the file  " + line(old) + "\n  measured     " + line(now)
		}
	}
	return ""
}

// timeless is an effect without what is information only.
func timeless(e catalog.Effect) catalog.Effect {
	unplaced := func(o catalog.Object) catalog.Object {
		if o.Kind == "column" {
			o.Attrs = maps.Clone(o.Attrs)
			delete(o.Attrs, "position")
		}
		return o
	}
	each := func(objects []catalog.Object) []catalog.Object {
		objects = slices.Clone(objects)
		for i := range objects {
			objects[i] = unplaced(objects[i])
		}
		return objects
	}
	untimed := func(statements []catalog.Measured) []catalog.Measured {
		statements = slices.Clone(statements)
		for i := range statements {
			statements[i].MSPer100k = 0
		}
		return statements
	}
	e.Added, e.Removed, e.Up, e.Down = each(e.Added), each(e.Removed), untimed(e.Up), untimed(e.Down)
	e.Changed = slices.Clone(e.Changed)
	for i, c := range e.Changed {
		e.Changed[i] = catalog.Change{Before: unplaced(c.Before), After: unplaced(c.After)}
	}
	return e
}

// comparableEffect leaves out of an effect what another major version does or prints in its own way.
func comparableEffect(e catalog.Effect, major int) catalog.Effect {
	each := func(objects []catalog.Object) []catalog.Object {
		c := catalog.Catalog{}
		for _, o := range objects {
			c[o.Key()] = o
		}
		return withoutVersions(catalog.Comparable(c, major)).Objects()
	}
	e.Added, e.Removed = each(e.Added), each(e.Removed)
	e.Changed = slices.Clone(e.Changed)
	for i, c := range e.Changed {
		e.Changed[i] = catalog.Change{Before: each([]catalog.Object{c.Before})[0], After: each([]catalog.Object{c.After})[0]}
	}
	e.Up, e.Down, e.Refused = nil, nil, nil
	return e
}

// effectFile is the path of a version's effect in the migrations' folder.
func effectFile(version int64) string { return fmt.Sprintf("effects/%05d.json", version) }

func readEffect(fsys fs.FS, version int64) []byte {
	data, err := fs.ReadFile(fsys, effectFile(version))
	if err != nil {
		return nil // a folder of somebody's own has no effects
	}
	return data
}
