package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// ErrTaken is returned for a person whose e-mail address, or whose name elsewhere, somebody has already.
var ErrTaken = errors.New("somebody has this address already")

// EveryAccount stands for an account's id in a role that holds in all of them.
const EveryAccount = "*"

// Person is somebody who may sign in.
type Person struct {
	ID, Email, Name string
	Password        string            // hashed; "" for one who signs in elsewhere
	Issuer, Subject string            // who says that it is them, and under which name; "" until they signed in there
	Roles           map[string]string // by account
	Disabled        bool
	CreatedAt       time.Time
}

// mostPeople is how many people a list shows.
const mostPeople = 1000

// People lists everybody, by e-mail address.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	people, err := s.people(ctx, db.ListPeopleParams{Everybody: true, Most: mostPeople})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return people, nil
}

// PersonByEmail finds a person by what they sign in with.
func (s *Store) PersonByEmail(ctx context.Context, email string) (Person, error) {
	return s.person(ctx, db.ListPeopleParams{EmailKey: emailKey(email), Most: 1})
}

// PersonByID finds a person by their id.
func (s *Store) PersonByID(ctx context.Context, id string) (Person, error) {
	if !isID(id) {
		return Person{}, fmt.Errorf("find a person: %w", ErrNotFound)
	}
	return s.person(ctx, db.ListPeopleParams{ID: id, Most: 1})
}

// PersonBySubject finds a person by who they are elsewhere.
func (s *Store) PersonBySubject(ctx context.Context, issuer, subject string) (Person, error) {
	return s.person(ctx, db.ListPeopleParams{Issuer: clean(issuer), Subject: clean(subject), Most: 1})
}

func (s *Store) person(ctx context.Context, p db.ListPeopleParams) (Person, error) {
	found, err := s.people(ctx, p)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Person{}, fmt.Errorf("find a person: %w", err)
	}
	return found[0], nil
}

func (s *Store) people(ctx context.Context, p db.ListPeopleParams) (people []Person, err error) {
	err = s.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListPeople(ctx, p)
		for _, row := range rows {
			people = append(people, Person{ID: row.ID, Email: row.Email, Name: row.Name, Password: row.Password, Issuer: row.Issuer,
				Subject: row.Subject, Roles: rolesOf(row.RoleAccounts, row.RoleNames), Disabled: row.DisabledAt != nil, CreatedAt: row.CreatedAt})
		}
		return err
	})
	return people, err
}

func rolesOf(accounts, names []string) map[string]string {
	roles := make(map[string]string, len(accounts))
	for n, account := range accounts {
		roles[account] = names[n]
	}
	return roles
}

// AddPerson makes a person with their roles, and gives their id. ErrTaken if somebody has the address.
func (s *Store) AddPerson(ctx context.Context, p Person, by Actor) (id string, err error) {
	id = newID()
	act := Act{By: by, What: ActPersonAdded, Target: id}
	err = s.change(ctx, act, func(q *db.Queries) error {
		added, err := q.AddPerson(ctx, db.AddPersonParams{ID: id, Email: clean(p.Email), EmailKey: emailKey(p.Email), Name: clean(p.Name),
			Password: p.Password, Issuer: clean(p.Issuer), Subject: clean(p.Subject)})
		if err == nil && added == 0 {
			err = ErrTaken
		}
		for account, role := range p.Roles {
			if err == nil {
				err = giveRole(ctx, q, id, account, role, by)
			}
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("add a person: %w", err)
	}
	return id, nil
}

// SetRole gives a person a role in an account, or in every one; "" takes it away. It counts from their next request on.
func (s *Store) SetRole(ctx context.Context, personID, account, role string, by Actor) error {
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.AgeTokens(ctx, personID); err != nil {
			return err
		}
		return giveRole(ctx, q, personID, account, role, by)
	})
	if err != nil {
		return fmt.Errorf("set the role of person %s: %w", personID, err)
	}
	return nil
}

func giveRole(ctx context.Context, q *db.Queries, personID, account, role string, by Actor) error {
	act := Act{By: by, What: ActRoleTaken, Target: personID, Detail: map[string]string{"in": account}}
	if role == "" {
		if err := q.TakeRole(ctx, db.TakeRoleParams{PersonID: personID, AccountID: account}); err != nil {
			return err
		}
		return logAct(ctx, q, act)
	}
	if err := q.GiveRole(ctx, db.GiveRoleParams{PersonID: personID, AccountID: account, Role: role}); err != nil {
		return err
	}
	act.What, act.Detail["role"] = ActRoleGiven, role
	return logAct(ctx, q, act)
}

// SetPassword replaces a person's password, hashed, and ends their sessions.
func (s *Store) SetPassword(ctx context.Context, personID, hashed string, by Actor) error {
	err := s.change(ctx, Act{By: by, What: ActPasswordSet, Target: personID}, func(q *db.Queries) error {
		n, err := q.SetPassword(ctx, db.SetPasswordParams{ID: personID, Password: hashed})
		return endingSessions(ctx, q, personID, n, err)
	})
	if err != nil {
		return fmt.Errorf("set the password of person %s: %w", personID, err)
	}
	return nil
}

// ReplacePassword replaces a person's own password, hashed, and ends their sessions: ErrNotFound if it is not was any more.
func (s *Store) ReplacePassword(ctx context.Context, personID, was, hashed string, by Actor) error {
	err := s.change(ctx, Act{By: by, What: ActPasswordSet, Target: personID}, func(q *db.Queries) error {
		n, err := q.ReplacePassword(ctx, db.ReplacePasswordParams{ID: personID, Was: was, Password: hashed})
		return endingSessions(ctx, q, personID, n, err)
	})
	if err != nil {
		return fmt.Errorf("replace the password of person %s: %w", personID, err)
	}
	return nil
}

// SetDisabled shuts a person out and ends their sessions, or lets them sign in again.
func (s *Store) SetDisabled(ctx context.Context, personID string, disabled bool, by Actor) error {
	act := Act{By: by, What: ActPersonEnabled, Target: personID}
	if disabled {
		act.What = ActPersonDisabled
	}
	err := s.change(ctx, act, func(q *db.Queries) error {
		n, err := q.DisablePerson(ctx, db.DisablePersonParams{ID: personID, Disabled: disabled})
		return endingSessions(ctx, q, personID, n, err)
	})
	if err != nil {
		return fmt.Errorf("disable or enable person %s: %w", personID, err)
	}
	return nil
}

// endingSessions ends a person's sessions once n rows of them were changed.
func endingSessions(ctx context.Context, q *db.Queries, personID string, n int64, err error) error {
	switch {
	case err != nil:
		return err
	case n == 0:
		return ErrNotFound
	}
	return q.EndSessions(ctx, personID)
}

// BindPerson writes down who a person is elsewhere, once and for all. ErrTaken if that is said of somebody already.
func (s *Store) BindPerson(ctx context.Context, personID, issuer, subject string, by Actor) error {
	act := Act{By: by, What: ActPersonBound, Target: personID, Detail: map[string]string{"issuer": issuer}}
	err := s.change(ctx, act, func(q *db.Queries) error {
		n, err := q.BindPerson(ctx, db.BindPersonParams{ID: personID, Issuer: clean(issuer), Subject: clean(subject)})
		if err == nil && n == 0 {
			err = ErrTaken
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("bind person %s: %w", personID, err)
	}
	return nil
}

// Session is one browser in which a person is signed in. Tokens are hashes of what it holds.
type Session struct {
	ID      string
	Person  Person // who it is and what they may do now; without what they sign in with
	TokenAt time.Time
	NextAt  time.Time // when another token was handed out that was not shown yet; zero if none was
	SeenAt  time.Time
	Shown   Shown
}

// Shown says which of a session's tokens was shown.
type Shown string

// The tokens of a session.
const (
	ShownCurrent Shown = "current"
	ShownNext    Shown = "next" // handed out in place of the current one
	ShownLast    Shown = "last" // it was replaced
)

// OpenSession keeps a new session, and forgets those that have ended.
func (s *Store) OpenSession(ctx context.Context, personID string, token []byte, at, ends time.Time, act Act) error {
	err := s.change(ctx, act, func(q *db.Queries) error {
		if err := q.DropEndedSessions(ctx, at); err != nil {
			return err
		}
		if err := q.DropTries(ctx, at); err != nil {
			return err
		}
		return q.OpenSession(ctx, db.OpenSessionParams{ID: newID(), PersonID: personID, Token: token, At: at, EndsAt: ends})
	})
	if err != nil {
		return fmt.Errorf("open a session of person %s: %w", personID, err)
	}
	return nil
}

// FindSession finds the session that a token belongs to, unless it has ended, was not seen since idleSince, or its person is
// disabled: ErrNotFound.
func (s *Store) FindSession(ctx context.Context, token []byte, at, idleSince time.Time) (Session, error) {
	rows, err := s.q.FindSession(ctx, db.FindSessionParams{Token: token, At: at, IdleSince: idleSince})
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Session{}, fmt.Errorf("find a session: %w", err)
	}
	r := rows[0]
	found := Session{ID: r.ID, TokenAt: r.TokenAt, NextAt: zeroOr(r.NextAt), SeenAt: r.SeenAt, Shown: ShownLast,
		Person: Person{ID: r.PersonID, Email: r.Email, Name: r.Name, Roles: rolesOf(r.RoleAccounts, r.RoleNames)}}
	switch {
	case r.Current:
		found.Shown = ShownCurrent
	case r.Next:
		found.Shown = ShownNext
	}
	return found, nil
}

// SeeSession notes that the session is in use.
func (s *Store) SeeSession(ctx context.Context, id string, at time.Time) error {
	if err := s.q.SeeSession(ctx, db.SeeSessionParams{ID: id, At: at}); err != nil {
		return fmt.Errorf("note the use of session %s: %w", id, err)
	}
	return nil
}

// OfferToken hands out another token for the session that shows token, unless one was handed out since since.
func (s *Store) OfferToken(ctx context.Context, id string, token, next []byte, at, since time.Time) (offered bool, err error) {
	n, err := s.q.OfferToken(ctx, db.OfferTokenParams{ID: id, Token: token, NextToken: next, At: at, OfferedBefore: since})
	if err != nil {
		return false, fmt.Errorf("renew session %s: %w", id, err)
	}
	return n == 1, nil
}

// TakeToken makes the token that was handed out the session's own, because it was shown.
func (s *Store) TakeToken(ctx context.Context, id string, token []byte, at time.Time) error {
	if err := s.q.TakeToken(ctx, db.TakeTokenParams{ID: id, Token: token, At: at}); err != nil {
		return fmt.Errorf("renew session %s: %w", id, err)
	}
	return nil
}

// EndSession forgets a session.
func (s *Store) EndSession(ctx context.Context, id string, act Act) error {
	if err := s.change(ctx, act, func(q *db.Queries) error { return q.EndSession(ctx, id) }); err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	return nil
}

// TrySignIn takes a try out of each bucket in turn, as long as there is room: each try fills a bucket for each, and it holds
// room of that. It reports whether every bucket had room. The buckets are the same for every process.
func (s *Store) TrySignIn(ctx context.Context, at time.Time, each, room time.Duration, buckets ...[]byte) (bool, error) {
	for _, b := range buckets {
		took, err := s.q.TrySignIn(ctx, db.TrySignInParams{Bucket: b, FirstUntil: at.Add(each), At: at, Each: each, Latest: at.Add(room - each)})
		if err != nil {
			return false, fmt.Errorf("count a try to sign in: %w", err)
		}
		if len(took) == 0 {
			return false, nil
		}
	}
	return true, nil
}

// isID reports whether s can be the id of a row.
func isID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil
}
