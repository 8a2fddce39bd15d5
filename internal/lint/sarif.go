package lint

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
)

// WriteSARIF writes findings as a SARIF 2.1.0 log of one run, with all rules described. Files of findings are paths relative
// to the root of the sources, with forward slashes.
func WriteSARIF(w io.Writer, version string, findings []Finding) error {
	type text struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	type configuration struct {
		Level Severity `json:"level"`
	}
	type descriptor struct {
		ID                   string        `json:"id"`
		ShortDescription     text          `json:"shortDescription"`
		FullDescription      text          `json:"fullDescription"`
		Help                 text          `json:"help"`
		DefaultConfiguration configuration `json:"defaultConfiguration"`
	}
	type artifact struct {
		URI string `json:"uri"`
	}
	type region struct {
		StartLine int `json:"startLine"`
	}
	type physical struct {
		ArtifactLocation artifact `json:"artifactLocation"`
		Region           region   `json:"region"`
	}
	type location struct {
		PhysicalLocation physical `json:"physicalLocation"`
	}
	type result struct {
		RuleID     string            `json:"ruleId"`
		RuleIndex  int               `json:"ruleIndex"`
		Level      Severity          `json:"level"`
		Message    text              `json:"message"`
		Locations  []location        `json:"locations"`
		Properties map[string]string `json:"properties"`
	}
	type driver struct {
		Name    string       `json:"name"`
		Version string       `json:"version"`
		Rules   []descriptor `json:"rules"`
	}
	type tool struct {
		Driver driver `json:"driver"`
	}
	type run struct {
		Tool    tool     `json:"tool"`
		Results []result `json:"results"`
	}

	described := make([]descriptor, len(rules))
	for i, r := range rules {
		described[i] = descriptor{
			ID: r.Name, ShortDescription: text{Text: r.What}, FullDescription: text{Text: r.What + " " + r.Why},
			Help: text{
				Text:     r.Why + "\n\nThe safe way:\n\n" + r.SafeExample(),
				Markdown: r.Why + "\n\nThe safe way:\n\n```sql\n" + r.SafeExample() + "\n```\n",
			},
			DefaultConfiguration: configuration{r.Severity}, // whose names are SARIF's levels
		}
	}
	results := []result{}
	for _, f := range findings {
		results = append(results, result{
			RuleID: f.Rule, RuleIndex: slices.IndexFunc(rules, func(r *Rule) bool { return r.Name == f.Rule }), Level: f.Severity,
			Message:    text{Text: f.Message},
			Locations:  []location{{physical{artifact{(&url.URL{Path: f.File}).String()}, region{f.Line}}}},
			Properties: map[string]string{"safe": f.Safe},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []run  `json:"runs"`
	}{
		"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0",
		[]run{{tool{driver{"portaldb lint", version, described}}, results}},
	})
}
