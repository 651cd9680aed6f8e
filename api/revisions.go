package api

func listRevisions(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	rows, next, err := x.reader().Revisions(x.Context(), x.account(), before, x.number("limit"))
	if err != nil {
		return nil, err
	}
	p := revisionPage{Items: make([]revision, len(rows)), Next: next}
	for i, r := range rows {
		p.Items[i] = revision{ID: r.ID, Digest: r.Digest, Message: r.Message, GitSHA: r.GitSHA, Format: r.Format, Origin: string(r.Origin),
			CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt, Active: r.Active, ActivatedAt: r.ActivatedAt, ActivatedBy: r.ActivatedBy}
	}
	return p, nil
}

func oneRevision(x *exchange) (any, error) {
	_, id, err := x.reader().FindRevision(x.Context(), x.account(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	r, err := x.reader().Revision(x.Context(), id)
	if err != nil {
		return nil, err
	}
	one := revisionStory{ID: r.ID, Digest: r.Digest, Message: r.Message, GitSHA: r.GitSHA, Format: r.Format, CreatedAt: r.CreatedAt, Files: map[string]string{}}
	for path, text := range r.Files {
		one.Files[path] = string(text)
	}
	return one, nil
}
