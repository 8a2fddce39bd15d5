// Package cli holds the commands of portaldb, one file each: flags, output and exit codes.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
)

const description = `portaldb applies the portal's migrations to PostgreSQL and serves its submissions, audits and files over HTTP.

Exit codes:

    0   done, or the answer is yes
    1   failed, or the connection was lost on the way; the message says what changed, or "nothing changed"
    2   usage: a wrong flag, argument or setting
    3   the answer is no: a failed check, pending migrations, drift, differences, a newer database, a schema that does not fit, a broken history
    4   refused: needs a person's decision; nothing changed
    5   a lock was not free in time; the file that waited changed nothing, safe to retry
    6   the database cannot be reached or refuses the login
    10  rollback without a target: no schema change needed, rolling back the binary is enough`

// commands is the command line as kong reads it.
type commands struct {
	JSON bool `help:"Print one JSON object on stdout, for programs."`

	Dev         devCommand         `cmd:"" help:"Start a private PostgreSQL, apply everything, and serve: needs no settings."`
	Serve       serveCommand       `cmd:"" help:"Apply what is pending, then serve the HTTP API until SIGTERM."`
	Up          upCommand          `cmd:"" help:"Apply what is pending."`
	Check       checkCommand       `cmd:"" help:"All that CI gates on: files, lint, round trips, effects, queries; writes effect files."`
	Plan        planCommand        `cmd:"" help:"Print exactly what up, or a rollback, would send; writes nothing."`
	Status      statusCommand      `cmd:"" help:"Tell where the database stands: version, pending, drift."`
	Verify      verifyCommand      `cmd:"" help:"Compare the live schema with the one that its version should have."`
	Adopt       adoptCommand       `cmd:"" help:"Take over a database made by init_db.sql and init_db()."`
	Rollback    rollbackCommand    `cmd:"" help:"Go back to an earlier version and keep what that destroys; says first what it would do."`
	Trash       trashCommand       `cmd:"" help:"What rollbacks have kept: list it, throw it away."`
	Hold        holdCommand        `cmd:"" help:"Stop up, everywhere, during an incident."`
	ReleaseHold releaseHoldCommand `cmd:"" help:"End the hold."`
	History     historyCommand     `cmd:"" help:"What was done to the schema, by whom and when."`
	Doctor      doctorCommand      `cmd:"" help:"Look at the database and the settings from all sides: what is wrong, and what to type."`
	Token       tokenCommand       `cmd:"" help:"Create, list and revoke the tokens of the HTTP API."`
	Files       filesCommand       `cmd:"" help:"Remove the bytes of files that are gone; compare rows with bytes."`
	Lint        lintCommand        `cmd:"" help:"Find what would block, break or lose something; needs no database."`
	New         newCommand         `cmd:"" help:"Write an empty migration with both halves."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// app is what every command is given: its streams, its environment and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            map[string]string
	json           bool
}

// sharedWriter lets several goroutines write, a whole message at a time.
type sharedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *sharedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// exit carries an exit code out of kong, which ends the process itself after printing help.
type exit int

// Run runs one command and returns its exit code. It ends when ctx is done.
func Run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	stderr = &sharedWriter{to: stderr} // the log, progress and messages come from several goroutines
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: map[string]string{}}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		a.env[name] = value
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()

	var c commands
	parser, err := kong.New(&c,
		kong.Name("portaldb"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.Resolvers(settings(a.env)), kong.Vars{"addr": defaultAddr}, kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(a))
	if err != nil {
		panic(fmt.Sprintf("the command line's own description is wrong: %v", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "portaldb: %v\nRun portaldb --help, or portaldb COMMAND -h.\n", err)
		return exitUsage
	}
	a.json = c.JSON
	if err := command.Run(); err != nil {
		name, _, _ := strings.Cut(command.Command(), " <")
		a.explain(name, err)
		return exitCode(err)
	}
	return exitDone
}

// print writes a command's result: v as one JSON object with --json, else the text.
func (a *app) print(v any, text string) error {
	if !a.json {
		_, err := io.WriteString(a.stdout, text)
		return err
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// logf tells a person how things go, on stderr.
func (a *app) logf(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }

// errUsage marks errors of the command line and the settings.
var errUsage = errors.New("usage")

// usageError is an error of exit code 2.
type usageError struct{ message string }

func (e usageError) Error() string        { return e.message }
func (e usageError) Is(target error) bool { return target == errUsage }
