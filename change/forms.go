package change

import (
	"slices"

	"aftercall/automation"
)

// Form says that the model is asked something else about an agent's calls. A new prompt or schema finds no provider's
// cache warm, and answers to what is new on it were never recorded.
type Form struct {
	Agent  string   `json:"agent"`  // "" for every agent that no automation names
	Every  bool     `json:"every"`  // no automation names one: it is about all calls
	Prompt bool     `json:"prompt"` // the questions' words differ
	Schema bool     `json:"schema"` // the answer's form differs
	Hashes []string `json:"hashes"` // of the schemas now, one for each sheet
}

// About says of which calls it is, in words.
func (f Form) About() string {
	switch {
	case f.Every:
		return "each call"
	case f.Agent != "":
		return "calls of agent " + f.Agent
	}
	return "calls of other agents"
}

// Forms compares what is asked about each agent's calls.
func Forms(before, after *automation.Revision) []Form {
	differ := []Form{}
	named := agents(before, after)
	for _, agent := range named {
		oldPrompts, oldSchemas := asked(before, agent)
		prompts, schemas := asked(after, agent)
		f := Form{Agent: agent, Every: len(named) == 1, Prompt: !slices.Equal(oldPrompts, prompts), Schema: !slices.Equal(oldSchemas, schemas), Hashes: schemas}
		if f.Prompt || f.Schema {
			differ = append(differ, f)
		}
	}
	return differ
}

// agents are those that an automation of either revision names, and "" for the others.
func agents(revisions ...*automation.Revision) []string {
	all := []string{""}
	for _, r := range revisions {
		for _, a := range r.Automations {
			all = append(all, a.Trigger.Agents...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// asked names the sheets of an agent's calls by what is on them.
func asked(r *automation.Revision, agent string) (prompts, schemas []string) {
	schemas = []string{}
	for _, s := range r.Sheets(agent, r.Triggers(), true) {
		prompt, schema := s.Hashes()
		prompts, schemas = append(prompts, prompt), append(schemas, schema)
	}
	return prompts, schemas
}
