package main

import (
	"context"
	"fmt"
	"net/http"
)

// signatures are recorded webhooks, of Standard Webhooks and of ElevenLabs.
func signatures() suite {
	return suite{
		name: "standard-webhooks", try: trySignatures,
		how: "Every recorded webhook, those of `fixtures/elevenlabs` among them, is posted with its own headers to a source with its secret. The web process is built " +
			"with one change (variant `callers-clock`): it reads its clock from a header, since recorded signatures have their own time. The bodies are no " +
			"calls, so any answer but 401 means that the signature was taken. Rows that the reference takes out of leniency, and those of " +
			"which their folder says that a stricter receiver may refuse them, must be refused.",
	}
}

func trySignatures(ctx context.Context, h *hall) (o outcome, err error) {
	rows, err := h.data.Vectors()
	if err != nil {
		return o, err
	}
	binary, err := h.builder.Product(ctx, "callers-clock")
	if err != nil {
		return o, err
	}
	web, err := h.bed.Serve(ctx, binary, nil, "--only", "web")
	if err != nil {
		return o, err
	}
	if err := h.bed.UseWeb(ctx, web); err != nil {
		return o, err
	}
	lenient := 0
	for i, v := range rows {
		r := row{id: v.ID}
		if r.id == "" {
			r.id = fmt.Sprintf("elevenlabs %d (%s)", i, v.Name)
		}
		if v.Lenient || v.Note != "" {
			lenient++
		}
		status := h.bed.Send(ctx, h.client, v.Webhook(h.secrets))
		if taken := status != http.StatusUnauthorized; taken != v.Strict() || status == 0 || status >= 500 {
			r.wrong, r.detail = true, fmt.Sprintf("answered %d", status)
		}
		o.add(r)
	}
	o.note("%d of them may be taken or refused, and are refused.", lenient)
	if !web.Alive() {
		return o, fmt.Errorf("the server ended")
	}
	return o, h.bed.UseWeb(ctx, h.server)
}
