package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
)

// specification is the rows of a template language's specification.
func specification(name string) suite {
	files := map[string]string{"handlebars-spec": "vectors.json", "mustache-spec": "tests.json"}
	return suite{
		name: name,
		how: "Every template is parsed and, if the guard lets it through, rendered as plain text with the row's data, in a process of its own (`internal/chaos/guard`), since " +
			"without the guard a template of thirty characters can end the process. What renders must be what the specification says, but for three " +
			"things that hold for every message here: a missing value prints words instead of nothing, line breaks at the ends go, and plain text " +
			"has no HTML entities. What the guard refuses is listed with the reason.",
		try: func(ctx context.Context, h *hall) (o outcome, err error) {
			return trySpecification(ctx, h, h.data.Data(name, files[name]))
		},
	}
}

func trySpecification(ctx context.Context, h *hall, file string) (o outcome, err error) {
	binary, err := h.builder.Guard(ctx)
	if err != nil {
		return o, err
	}
	out, err := exec.CommandContext(ctx, binary, "-judge", "-corpus", file).Output()
	if err != nil {
		return o, fmt.Errorf("render a specification: %w", err)
	}
	var judged []struct{ ID, Verdict, Detail string }
	if err := json.Unmarshal(out, &judged); err != nil {
		return o, fmt.Errorf("read what became of a specification: %w", err)
	}
	times := map[string]int{}
	for _, j := range judged {
		if times[j.ID]++; times[j.ID] > 1 {
			j.ID = fmt.Sprintf("%s (%d)", j.ID, times[j.ID])
		}
		r := row{id: j.ID, kind: j.Verdict, detail: j.Detail, wrong: j.Verdict == "panic"}
		switch j.Verdict {
		case "as specified":
			r.kind, r.detail = "", ""
		case "refused":
			r.kind += " " + j.Detail[:5] // the code of the problem
		}
		o.add(r)
	}
	return o, nil
}
