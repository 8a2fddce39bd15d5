package portal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"portaldb/db"
)

// Bounds of a claim.
const (
	MaxClaim        = 100
	MaxClaimKinds   = 100
	DefaultLease    = 60 * time.Second
	MaxLease        = 24 * time.Hour
	maxWorker       = 200 // bytes
	pruneQueueEvery = 60  // seconds
)

// Claim asks for work.
type Claim struct {
	Kinds  []string
	Worker string        // who asks, a name that no other worker has
	Limit  int           // how many submissions at most; 0 means 1
	Lease  time.Duration // how long they are the worker's, in whole seconds; 0 means DefaultLease
}

// Claimed is a submission that is a worker's until its lease ends.
type Claimed struct {
	Submission
	LeaseUntil time.Time
	Attempts   int // how often it has been claimed, this time included
}

// ClaimSubmissions gives the worker the oldest submissions of the kinds that were created with Queue and that nobody works
// on, none if there are none. They are running from then on, and the worker's until the lease ends or the submission does;
// then another worker may claim them, so that what a dead worker had is not lost. Nobody else gets them before.
func (s *Service) ClaimSubmissions(ctx context.Context, token string, claim Claim) ([]Claimed, error) {
	if claim.Limit == 0 {
		claim.Limit = 1
	}
	if err := checkLease(claim.Worker, &claim.Lease); err != nil {
		return nil, err
	}
	switch {
	case len(claim.Kinds) == 0 || len(claim.Kinds) > MaxClaimKinds || slices.Contains(claim.Kinds, ""):
		return nil, invalid(fmt.Sprintf("kinds must name 1 to %d kinds", MaxClaimKinds))
	case claim.Limit < 1 || claim.Limit > MaxClaim:
		return nil, invalid(fmt.Sprintf("limit must be a number between 1 and %d", MaxClaim))
	}
	if err := s.pruneQueue(ctx); err != nil {
		return nil, err
	}
	rows, err := s.primary.ClaimSubmissions(ctx, db.ClaimSubmissionsParams{
		Kinds:        slices.Compact(slices.Sorted(slices.Values(claim.Kinds))),
		RowLimit:     int64(claim.Limit),
		Worker:       claim.Worker,
		LeaseSeconds: claim.Lease.Seconds(),
		Token:        token,
	})
	if err != nil {
		return nil, err
	}
	claimed := make([]Claimed, len(rows))
	for i, row := range rows {
		claimed[i] = Claimed{
			Submission: newSubmission(db.Submission{
				ID:         row.ID,
				Kind:       row.Kind,
				Version:    row.Version,
				ActorCpf:   row.ActorCpf,
				ActorNome:  row.ActorNome,
				ActorEmail: row.ActorEmail,
				Payload:    row.Payload,
				Status:     row.Status,
				Result:     row.Result,
				Error:      row.Error,
				CreatedAt:  row.CreatedAt,
				UpdatedAt:  row.UpdatedAt,
			}),
			LeaseUntil: row.LeaseUntil,
			Attempts:   int(row.Attempts),
		}
	}
	return claimed, nil
}

// pruneQueue takes what the legacy code has ended out of the queue, now and then: claims only have to step over it.
func (s *Service) pruneQueue(ctx context.Context) error {
	now, last := s.now().Unix(), s.pruned.Load()
	if now-last < pruneQueueEvery || !s.pruned.CompareAndSwap(last, now) {
		return nil
	}
	_, err := s.primary.DeleteEndedSubmissions(ctx)
	return err
}

// Lease is a worker's right to a submission.
type Lease struct {
	SubmissionID string
	Worker       string
	LeaseUntil   time.Time
	Attempts     int
}

// ExtendLease gives the worker the submission until lease from now on; 0 means DefaultLease. A lease that has expired can be
// extended as long as nobody else has claimed the submission. CodeNotFound if there is no submission with that id,
// CodeConflict if it is not the worker's: the worker should stop then.
func (s *Service) ExtendLease(ctx context.Context, id, worker string, lease time.Duration) (Lease, error) {
	if err := checkLease(worker, &lease); err != nil {
		return Lease{}, err
	}
	row, err := s.primary.ExtendLease(ctx, db.ExtendLeaseParams{SubmissionID: id, Worker: worker, LeaseSeconds: lease.Seconds()})
	if ErrorCode(err) == CodeNotFound {
		if _, err := s.GetSubmission(ctx, id); err != nil {
			return Lease{}, err
		}
		return Lease{}, errNotHolder
	}
	return Lease{SubmissionID: id, Worker: worker, LeaseUntil: row.LeaseUntil, Attempts: int(row.Attempts)}, err
}

func checkLease(worker string, lease *time.Duration) error {
	if *lease == 0 {
		*lease = DefaultLease
	}
	switch {
	case worker == "" || len(worker) > maxWorker:
		return invalid(fmt.Sprintf("worker must be 1 to %d bytes", maxWorker))
	case *lease < time.Second || *lease > MaxLease:
		return invalid(fmt.Sprintf("lease_seconds must be a number between 1 and %d", int(MaxLease.Seconds())))
	}
	return nil
}

// LongRunning is how long a submission may run before Backlog reports it, unless a worker has it.
const LongRunning = time.Hour

// Backlog is what waits.
type Backlog struct {
	// Oldest is for how long the oldest submission of the queue has been waiting for a worker; 0 if none does.
	Oldest time.Duration
	// LongRunning counts submissions of which the queue knows nothing, as those of the legacy code, that have been running for
	// longer than LongRunning. A crash of the legacy code leaves them so for ever; this service never hands them out.
	LongRunning int64
}

// Backlog looks at what waits.
func (s *Service) Backlog(ctx context.Context) (Backlog, error) {
	row, err := s.reads.GetBacklog(ctx, s.now().Add(-LongRunning))
	return Backlog{Oldest: time.Duration(row.OldestSeconds * float64(time.Second)), LongRunning: row.LongRunning}, err
}
