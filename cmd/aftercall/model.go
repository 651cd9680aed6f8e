package main

import (
	"context"
	"fmt"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
)

// The places of the models that are asked, as metrics call them.
const (
	firstModel    = "first"
	fallbackModel = "fallback"
)

// buildModel puts the model together: the client, a circuit breaker around it, and the fallback behind both. watch, unless
// it is nil, is told of each circuit.
func buildModel(s settings, simulated bool, watch func(place string, open func() bool)) (llm.Model, error) {
	primary, err := guarded(s, s.Model, simulated)
	if err != nil {
		return nil, err
	}
	if watch != nil {
		watch(firstModel, func() bool { return primary.State().Open })
	}
	if s.FallbackModel == "" {
		return primary, nil
	}
	secondary, err := guarded(s, s.FallbackModel, simulated)
	if err != nil {
		return nil, err
	}
	if watch != nil {
		watch(fallbackModel, func() bool { return secondary.State().Open })
	}
	return llm.WithFallback(primary, secondary), nil
}

func guarded(s settings, name string, simulated bool) (*llm.Guarded, error) {
	m, err := openai.New(openai.Config{BaseURL: s.OpenAIBaseURL, Key: string(s.OpenAIKey), Model: name})
	if err != nil {
		return nil, fmt.Errorf("OPENAI_BASE_URL: %w", err)
	}
	if simulated {
		return llm.Guard(m, llm.GuardOptions{}), nil
	}
	return llm.Guard(honest{m}, llm.GuardOptions{}), nil
}

// honest refuses the simulated model's answers: outside demo and tests a wrong OPENAI_BASE_URL must not decide anything.
type honest struct{ llm.Model }

// Complete asks, and turns a simulated answer into an error that an operator must act on.
func (h honest) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	reply, err := h.Model.Complete(ctx, r)
	if err == nil && reply.Simulated {
		return reply, &llm.Error{Kind: llm.Misconfigured, Reply: reply,
			Detail: "OPENAI_BASE_URL is the simulated model, which only answers in demo and tests"}
	}
	return reply, err
}
