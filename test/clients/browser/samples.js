// The browser samples of the pages: each makes its token call and its protected call and keeps
// what it got. At the end all of it goes into the page, for people, and to the test.

async function main() {
  const env = await (await fetch('/env.json')).json();
  if (new URL(env.base).origin === location.origin) throw new Error('same origin: nothing to see');

  const results = {};
  for (const sample of [withFetch, withJQuery, withXHR, withAngular, withReact]) {
    const steps = (results[sample.name] = []);
    const report = (step, status, body) => {
      steps.push({ step, status, body });
      return body;
    };
    try {
      await sample(env, report);
    } catch (error) {
      report(`failed: ${error}`, 0, null);
    }
  }
  const text = JSON.stringify(results, null, 2);
  document.getElementById('results').textContent = text;
  await fetch('/results', { method: 'POST', body: text });
}

const loginForm = (env) => ({
  grant_type: 'password',
  client_id: env.clientID,
  Client_secret: env.clientSecret,
  username: env.username,
  password: env.password,
});
const creditQuestion = (env) => JSON.stringify({ NationalCode: env.nationalCode, Cellphone: env.mobile });
const account = (env) => ({ userName: env.username, password: env.password, domain: env.domain });

// fetch with Headers and URLSearchParams.
async function withFetch(env, report) {
  const headers = new Headers();
  headers.append('Content-Type', 'application/x-www-form-urlencoded');
  const body = new URLSearchParams(loginForm(env));
  const login = await fetch(`${env.base}/identity/token`, { method: 'POST', headers, body, redirect: 'follow' });
  const issued = report('token', login.status, await login.json());

  const info = await fetch(`${env.base}/ai/etebar/info`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` },
    body: creditQuestion(env),
  });
  report('info', info.status, await info.json());
}

// $.ajax with a settings object; jQuery encodes the form itself.
async function withJQuery(env, report) {
  const ajax = (step, settings) =>
    new Promise((resolve, reject) => {
      $.ajax(settings)
        .done((body, _, xhr) => resolve(report(step, xhr.status, body)))
        .fail((xhr, how) => reject(new Error(`${step}: ${how} ${xhr.status} ${xhr.responseText}`)));
    });
  const issued = await ajax('token', {
    url: `${env.base}/identity/token`,
    method: 'POST',
    timeout: 0,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    data: loginForm(env),
  });
  await ajax('info', {
    url: `${env.base}/ai/etebar/info`,
    method: 'POST',
    timeout: 0,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` },
    data: creditQuestion(env),
  });
}

// XMLHttpRequest with credentials: the answer must name this origin, * will not do.
async function withXHR(env, report) {
  const send = (step, path, headers, body) =>
    new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.withCredentials = true;
      xhr.addEventListener('readystatechange', () => {
        if (xhr.readyState !== XMLHttpRequest.DONE) return;
        if (xhr.status === 0) reject(new Error(`${step}: the browser kept the answer back`));
        else resolve(report(step, xhr.status, JSON.parse(xhr.responseText)));
      });
      xhr.open('POST', env.base + path);
      for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
      xhr.send(body);
    });
  const form = new URLSearchParams(loginForm(env)).toString();
  const issued = await send('token', '/identity/token', { 'Content-Type': 'application/x-www-form-urlencoded' }, form);
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` };
  await send('info', '/ai/etebar/info', headers, creditQuestion(env));
}

// What Angular's HttpClient does with the page's HttpHeaders: an XMLHttpRequest whose three
// headers, sent on every call, make the browser ask first. Names go out in lower case.
async function withAngular(env, report) {
  const send = (step, method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open(method, env.base + path);
      const all = { 'cache-control': 'no-cache', accept: 'application/json', 'content-type': 'application/json' };
      for (const [name, value] of Object.entries({ ...all, ...headers })) xhr.setRequestHeader(name, value);
      xhr.responseType = 'json';
      xhr.addEventListener('load', () => resolve(report(step, xhr.status, xhr.response)));
      xhr.addEventListener('error', () => reject(new Error(`${step}: the browser kept the answer back`)));
      xhr.send(body === undefined ? null : JSON.stringify(body));
    });
  const issued = await send('token', 'POST', '/auth/token', {}, account(env));
  await send('balance', 'GET', '/account/balance', { authorization: `Bearer ${issued.token}` });
}

// The page's React sample is fetch with await.
async function withReact(env, report) {
  const headers = { 'Cache-Control': 'no-cache', Accept: 'application/json', 'Content-Type': 'application/json' };
  const login = await fetch(`${env.base}/auth/token`, {
    method: 'POST',
    headers,
    body: JSON.stringify(account(env)),
  });
  const issued = report('token', login.status, await login.json());
  const balance = await fetch(`${env.base}/account/balance`, {
    headers: { ...headers, Authorization: `Bearer ${issued.token}` },
  });
  report('balance', balance.status, await balance.json());
}

main().catch((error) => {
  document.getElementById('results').textContent = `failed: ${error}`;
  fetch('/results', { method: 'POST', body: JSON.stringify({ failed: [{ step: String(error), status: 0, body: null }] }) });
});
