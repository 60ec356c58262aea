// A second identity provider for the sign-in tests, by other authors and in another language than dev/idp.
// node oidc-provider.mjs FOLDER-WITH-NODE_MODULES CONFIG-AS-JSON; prints its issuer when it listens and ends with stdin.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, json] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js')));
const { redirect, signedOut, backchannel, clientId, clientSecret, groups } = JSON.parse(json);

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomUUID() };

const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirect], post_logout_redirect_uris: [signedOut], response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'], ...(backchannel && { backchannel_logout_uri: backchannel, backchannel_logout_session_required: true }) }],
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its own refuses loopback, where the tests are
  rotateRefreshToken: true,
  claims: { openid: ['sub', 'sid'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
  conformIdTokenClaims: process.env.CLAIMS_BY_USERINFO !== undefined, // true: groups come from userinfo alone
  pkce: { required: () => true },
  ttl: { IdToken: 600, AccessToken: 600, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        ctx.body = `<!doctype html><title>Sign out</title>${form.replace('</form>', '<input type="hidden" name="logout" value="yes"><button>Sign out</button></form>')}`;
      },
    },
  },
  interactions: { url: (ctx, interaction) => `/login/${interaction.uid}` },
  findAccount: async (ctx, sub) => ({
    accountId: sub,
    claims: async () => ({ sub, name: `Person ${sub}`, email: `${sub}@example.com`, email_verified: true, groups }),
  }),
  // No page asks for consent: the one client is our own.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid offline_access profile email groups');
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path === '/test/groups') { // the next token shows them
    groups.splice(0, groups.length, ...ctx.query.to.split(','));
    ctx.body = 'changed';
    return undefined;
  }
  if (!ctx.path.startsWith('/login/')) return next();
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name === 'consent') { // prompt=consent, which offline_access needs here
    const grant = new provider.Grant({ clientId: params.client_id, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = '<!doctype html><title>Sign in</title><form method="post"><input name="username"><input name="password" type="password"><button>Sign in</button></form>';
    return undefined;
  }
  let body = '';
  for await (const chunk of ctx.req) body += chunk;
  const form = new URLSearchParams(body);
  if (form.get('username') !== form.get('password')) {
    ctx.status = 401;
    ctx.body = 'wrong user name or password';
    return undefined;
  }
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: form.get('username') } }, { mergeWithLastSubmission: false });
});

server.on('request', provider.callback());
process.stdin.on('end', () => process.exit(0)).resume();
console.log(issuer);
