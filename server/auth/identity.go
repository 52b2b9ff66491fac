package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// identityClient asks a Keystone's v3 API, with a token of the service's own that it renews.
type identityClient struct {
	service gophercloud.ServiceClient
	options tokens.AuthOptions

	mu   sync.Mutex
	once bool // the service has had a token: from then on the library renews it
}

func newIdentityClient(o *KeystoneOptions) (*identityClient, error) {
	base := strings.TrimSuffix(strings.TrimRight(o.URL, "/"), "/v3") + "/"
	provider, err := openstack.NewClient(base)
	if err != nil {
		return nil, fmt.Errorf("keystone: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.Flights
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("keystone: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("keystone: %s holds no certificate", o.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	provider.HTTPClient = http.Client{Transport: transport}
	provider.UseTokenLock()
	return &identityClient{
		service: gophercloud.ServiceClient{ProviderClient: provider, Endpoint: base + "v3/", Type: "identity"},
		options: tokens.AuthOptions{
			IdentityEndpoint: base + "v3/", Username: o.Username, Password: o.Password, DomainName: o.UserDomain, AllowReauth: true,
			Scope: tokens.Scope{ProjectName: o.Project, DomainName: o.ProjectDomain},
		},
	}, nil
}

// login gets the service its first token.
func (c *identityClient) login(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.once {
		return nil
	}
	if err := openstack.AuthenticateV3(ctx, c.service.ProviderClient, &c.options, gophercloud.EndpointOpts{}); err != nil {
		return fmt.Errorf("authenticating the service: %w", err)
	}
	c.once = true
	return nil
}

// validate implements identity.
func (c *identityClient) validate(ctx context.Context, token string) (*Caller, time.Time, error) {
	if err := c.login(ctx); err != nil {
		return nil, time.Time{}, err
	}
	res := tokens.Get(ctx, &c.service, token)
	var answer gophercloud.ErrUnexpectedResponseCode
	switch {
	case res.Err == nil:
	case !errors.As(res.Err, &answer):
		return nil, time.Time{}, fmt.Errorf("validating a token: %w", res.Err)
	case answer.Actual == http.StatusNotFound:
		return nil, time.Time{}, ErrUnauthenticated
	default:
		return nil, time.Time{}, fmt.Errorf("validating a token: %w: %w", errAnswered, res.Err)
	}
	caller, expires, err := callerOf(&res)
	if err != nil {
		err = fmt.Errorf("validating a token: %w: %w", errAnswered, err)
	}
	return caller, expires, err
}

// callerOf reads what Keystone says of a token.
func callerOf(res *tokens.GetResult) (*Caller, time.Time, error) {
	t, err1 := res.ExtractToken()
	user, err2 := res.ExtractUser()
	project, err3 := res.ExtractProject()
	domain, err4 := res.ExtractDomain()
	roles, err5 := res.ExtractRoles()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, time.Time{}, err
	}
	if user == nil || user.ID == "" {
		return nil, time.Time{}, errors.New("the answer names no user")
	}
	projectID, domainID := "", ""
	if project != nil {
		projectID = project.ID
	}
	if domain != nil {
		domainID = domain.ID
	}
	caller := scoped(user.ID, projectID, domainID)
	for _, r := range roles {
		caller.Roles = append(caller.Roles, r.Name)
	}
	return caller, t.ExpiresAt, nil
}
