// Command client creates a submission, changes it, finds it in the list and reads its trail, with the generated client.
// URL and token are its arguments.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"client/api"
)

func main() {
	if err := roundTrip(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("round trip")
}

func roundTrip(ctx context.Context, url, token string) error {
	client, err := api.NewClientWithResponses(url, api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}))
	if err != nil {
		return err
	}
	created, err := client.CreateSubmissionWithResponse(ctx, api.CreateSubmissionJSONRequestBody{
		Kind: "go", Version: "1", Payload: map[string]any{"numero": "12/2026"},
	})
	if err != nil || created.JSON201 == nil {
		return fmt.Errorf("create: %v, %s", err, created.Body)
	}
	id := created.JSON201.Id
	changed, err := client.UpdateSubmissionWithResponse(ctx, id, nil, api.UpdateSubmissionJSONRequestBody{Status: new(api.SubmissionUpdateStatus("done"))})
	if err != nil || changed.JSON200 == nil || changed.JSON200.Status != "done" {
		return fmt.Errorf("change: %v, %s", err, changed.Body)
	}
	list, err := client.ListSubmissionsWithResponse(ctx, &api.ListSubmissionsParams{Kind: new("go")})
	if err != nil || list.JSON200 == nil || len(*list.JSON200.Items) != 1 || (*list.JSON200.Items)[0].Id != id {
		return fmt.Errorf("list: %v, %s", err, list.Body)
	}
	trail, err := client.ListSubmissionAuditsWithResponse(ctx, id, nil)
	if err != nil || trail.JSON200 == nil || len(*trail.JSON200.Items) != 2 || (*trail.JSON200.Items)[0].Action == (*trail.JSON200.Items)[1].Action {
		return fmt.Errorf("trail: %v, %s", err, trail.Body)
	}
	missing, err := client.GetSubmissionWithResponse(ctx, "nowhere", nil)
	if err != nil || missing.ApplicationproblemJSON404 == nil || missing.ApplicationproblemJSON404.Code != "not_found" {
		return fmt.Errorf("what is not there: %v, %s", err, missing.Body)
	}
	return nil
}
