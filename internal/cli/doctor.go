package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
	"portaldb/internal/schema"
)

type doctorCommand struct {
	migrating
	uploadRoots
	ReadURL       string `name:"database-read-url" setting:"DATABASE_READ_URL" placeholder:"URL" help:"A read replica for lists and statistics (DATABASE_READ_URL)."`
	SessionSecret string `setting:"SESSION_SECRET" hidden:""`
}

// Help is the long help.
func (doctorCommand) Help() string {
	return `Changes nothing, and ends in less than two seconds. Ends with 3 when a check failed, with 2 when a setting is missing or wrong,
with 6 when there is no login; what can be checked without is checked all the same.

Examples:

    DATABASE_URL=postgres://portal@db.example.org/portal portaldb doctor
    portaldb doctor --json --database-url "host=db.example.org dbname=portal user=portal"`
}

// doctorCheck is a check as programs read it.
type doctorCheck struct {
	Name     string            `json:"name"`
	State    schema.CheckState `json:"state"`
	Evidence string            `json:"evidence"`
	Remedy   *string           `json:"remedy"`
}

// Run does every check.
func (c doctorCommand) Run(ctx context.Context, a *app) error {
	_, wrong := c.engine(a)
	if wrong == nil && c.ReadURL != "" {
		_, wrong = checkedURL("DATABASE_READ_URL", c.ReadURL)
	}
	if wrong != nil && !errors.Is(wrong, errUsage) {
		return wrong
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	store, storeErr := c.store(a)
	if wrong == nil {
		wrong = storeErr
	}

	var uploads schema.Check
	var group sync.WaitGroup
	if storeErr != nil {
		uploads = schema.Check{Name: "upload_root", State: schema.CheckFailed, Evidence: storeErr.Error(), Remedy: "set what it names"}
	} else {
		group.Go(func() { uploads = checkUploadRoot(ctx, c.UploadRoot, store) })
	}
	checks, err := schema.Diagnose(ctx, schema.Diagnosis{
		Config:    schema.Config{URL: c.DatabaseURL, FS: files, Environment: c.Environment, Actor: actor(a.env)},
		DirectURL: c.DirectURL, ReadURL: c.ReadURL, Connections: c.connections(),
	})
	if len(checks) == 0 {
		return err
	}
	group.Wait()
	if err == nil && uploads.State != schema.CheckFailed {
		c.checkMarkers(ctx, store, &uploads)
	}
	checks = append(checks, uploads, checkOpenFiles(), checkSessionSecret(c.SessionSecret))

	report := make([]doctorCheck, len(checks))
	failed := false
	for i, check := range checks {
		report[i] = doctorCheck{Name: check.Name, State: check.State, Evidence: check.Evidence}
		if check.Remedy != "" {
			report[i].Remedy = &check.Remedy
		}
		failed = failed || check.State == schema.CheckFailed
	}
	if err := a.print(map[string]any{"checks": report}, doctorText(checks)); err != nil {
		return err
	}
	switch {
	case wrong != nil:
		return wrong
	case err != nil:
		return err
	case failed:
		return errNo
	}
	return nil
}

// connections is how many one serve may open on DATABASE_URL; 0 where that cannot be read.
func (c doctorCommand) connections() int {
	config, err := pgxpool.ParseConfig(c.DatabaseURL)
	if err != nil {
		return 0
	}
	pools := 1
	if c.ReadURL == "" { // lists have a pool of their own
		pools = 2
	}
	return pools * int(config.MaxConns)
}

// Bounds of what a service needs.
const (
	uploadTimeout  = 1500 * time.Millisecond // a dead network file system answers never
	markersTimeout = time.Second             // two round trips
	uploadLow      = 1 << 30
	uploadTooLow   = 64 << 20
	openFilesLow   = 1024
	shortestSecret = 16 // bytes
)

// checkUploadRoot looks whether files can be stored, by storing an empty one for a moment.
func checkUploadRoot(ctx context.Context, root string, store blob.Store) schema.Check {
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	done := make(chan schema.Check, 1)
	go func() { done <- lookIntoUploadRoot(ctx, root, store) }()
	select {
	case check := <-done:
		return check
	case <-ctx.Done():
		return schema.Check{Name: "upload_root", State: schema.CheckFailed, Evidence: fmt.Sprintf("%s does not answer within %s", place(root), uploadTimeout),
			Remedy: "see whether its file system is there (mount, dmesg), or the network to it"}
	}
}

// place is a root without what follows a question mark.
func place(root string) string {
	name, _, _ := strings.Cut(root, "?")
	return name
}

func lookIntoUploadRoot(ctx context.Context, root string, store blob.Store) schema.Check {
	check := schema.Check{Name: "upload_root", State: schema.CheckFailed}
	if err := store.Check(ctx); err != nil {
		check.Evidence, check.Remedy = evidence(err)
		return check
	}
	if strings.HasPrefix(root, "s3://") {
		check.State, check.Evidence = schema.CheckOK, place(root)+" is writable"
		return check
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(root, &fs); err != nil {
		check.State, check.Evidence = schema.CheckWarning, fmt.Sprintf("%s is writable; how much is free could not be told: %v", root, err)
		return check
	}
	free := fs.Bavail * uint64(fs.Bsize) //nolint:gosec // a block has a positive size
	check.Evidence = fmt.Sprintf("%s is writable, %d MiB are free", root, free>>20)
	switch {
	case free < uploadTooLow:
		check.Remedy = "make room: df -h " + root
	case free < uploadLow:
		check.State, check.Remedy = schema.CheckWarning, "make room: df -h "+root
	default:
		check.State = schema.CheckOK
	}
	return check
}

// evidence splits what is wrong with a root of files from what to do, which stands at the end.
func evidence(err error) (evidence, remedy string) {
	evidence = strings.TrimPrefix(err.Error(), "UPLOAD_ROOT: ")
	if at := strings.LastIndex(evidence, ": "); at >= 0 {
		evidence, remedy = evidence[:at], evidence[at+2:]
	}
	return evidence, remedy
}

// checkMarkers looks whether the roots of files are the places that the database knows. What keeps it from asking the database
// is told by other checks.
func (c doctorCommand) checkMarkers(ctx context.Context, store blob.Store, check *schema.Check) {
	ctx, cancel := context.WithTimeout(ctx, markersTimeout)
	defer cancel()
	url, err := c.url()
	if err != nil {
		return
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: url, ApplicationName: "portaldb doctor"})
	if err != nil {
		return
	}
	defer db.Close()
	if err := portal.NewFiles(db.Primary(), db.Reads(), portal.FilesConfig{Store: store}).CheckRoots(ctx); errors.Is(err, blob.ErrOtherStore) {
		check.State = schema.CheckFailed
		check.Evidence, check.Remedy = evidence(err)
	}
}

// checkOpenFiles looks at how many files and connections this process may have open.
func checkOpenFiles() schema.Check {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return schema.Check{Name: "open_files", State: schema.CheckWarning, Evidence: "could not be told: " + err.Error()}
	}
	check := schema.Check{Name: "open_files", State: schema.CheckOK, Evidence: fmt.Sprintf("%d may be open at a time", limit.Cur)}
	if limit.Cur < openFilesLow {
		check.State, check.Remedy = schema.CheckWarning, "ulimit -n 65536, or LimitNOFILE=65536 in the unit"
	}
	return check
}

// checkSessionSecret looks whether links that the legacy service signed can be verified, by nobody else's secret.
func checkSessionSecret(secret string) schema.Check {
	check := schema.Check{Name: "session_secret", State: schema.CheckOK, Evidence: "SESSION_SECRET is set"}
	switch {
	case secret == "":
		check.State, check.Evidence = schema.CheckWarning, "SESSION_SECRET is not set: share links that the legacy service signed are refused"
		check.Remedy = "set SESSION_SECRET to the legacy service's"
	case secret == "dev-secret":
		check.State, check.Evidence = schema.CheckFailed, "SESSION_SECRET is dev-secret, which everybody knows: serve refuses to start"
		check.Remedy = `SESSION_SECRET="$(openssl rand -hex 32)"`
	case len(secret) < shortestSecret:
		check.State, check.Evidence = schema.CheckWarning, fmt.Sprintf("SESSION_SECRET is shorter than %d bytes: it can be guessed", shortestSecret)
		check.Remedy = `SESSION_SECRET="$(openssl rand -hex 32)"`
	}
	return check
}

// textWidth is that of a terminal as it comes.
const textWidth = 80

// doctorText puts the checks in columns, each with its remedy below, and counts them. What was skipped for one reason is
// told together.
func doctorText(checks []schema.Check) string {
	const indent = 25
	var b strings.Builder
	count := map[schema.CheckState]int{}
	var reasons []string
	skipped := map[string][]string{}
	for _, c := range checks {
		count[c.State]++
		if c.State == schema.CheckSkipped {
			if skipped[c.Evidence] == nil {
				reasons = append(reasons, c.Evidence)
			}
			skipped[c.Evidence] = append(skipped[c.Evidence], c.Name)
			continue
		}
		fmt.Fprintf(&b, "%-8s %-15s ", c.State, c.Name)
		writeWrapped(&b, c.Evidence, indent)
		if c.Remedy != "" {
			fmt.Fprintf(&b, "%*s-> ", indent, "")
			writeWrapped(&b, c.Remedy, indent+3)
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(&b, "%-8s ", schema.CheckSkipped)
		writeWrapped(&b, reason+": "+strings.Join(skipped[reason], ", "), 9)
	}
	fmt.Fprintf(&b, "\n%d failed, %d warning, %d skipped, %d ok\n",
		count[schema.CheckFailed], count[schema.CheckWarning], count[schema.CheckSkipped], count[schema.CheckOK])
	return b.String()
}

// writeWrapped writes words that begin in column indent, on as many lines as they need. A word that is longer than a line,
// such as a path to copy, stays whole.
func writeWrapped(b *strings.Builder, text string, indent int) {
	column := indent
	for i, word := range strings.Fields(text) {
		if i > 0 {
			if column+1+len([]rune(word)) > textWidth {
				fmt.Fprintf(b, "\n%*s", indent, "")
				column = indent
			} else {
				b.WriteByte(' ')
				column++
			}
		}
		b.WriteString(word)
		column += len([]rune(word))
	}
	b.WriteByte('\n')
}
