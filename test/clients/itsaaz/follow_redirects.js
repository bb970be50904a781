// Node's own http request through follow-redirects. No Content-Length is set and the body is
// written in pieces, so the request goes out chunked.
const { http } = require('follow-redirects');
const querystring = require('querystring');

const env = process.env;
const server = new URL(env.DARGAH_BASE);

function report(step, path, headers, payload, next) {
  const options = {
    method: 'POST',
    hostname: server.hostname,
    port: server.port,
    path,
    headers,
    maxRedirects: 20,
  };
  const req = http.request(options, (res) => {
    const chunks = [];
    res.on('data', (chunk) => chunks.push(chunk));
    res.on('error', fail);
    res.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      console.log(JSON.stringify({ step, status: res.statusCode, body }));
      next(body);
    });
  });
  req.on('error', fail);
  req.write(payload);
  req.end();
}

function fail(error) {
  console.error(error);
  process.exitCode = 1;
}

const form = querystring.stringify({
  grant_type: 'password',
  client_id: env.DARGAH_CLIENT_ID,
  Client_secret: env.DARGAH_CLIENT_SECRET,
  username: env.DARGAH_USERNAME,
  password: env.DARGAH_PASSWORD,
});

report('token', '/identity/token', { 'Content-Type': 'application/x-www-form-urlencoded' }, form, (issued) => {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` };
  const question = JSON.stringify({ NationalCode: env.DARGAH_NATIONAL_CODE, Cellphone: env.DARGAH_MOBILE });
  report('info', '/ai/etebar/info', headers, question, () => {});
});
