// The request package: the form as an object, callbacks.
const request = require('request');

const env = process.env;

function report(step, options, next) {
  request(options, (error, response) => {
    if (error) throw error;
    const body = JSON.parse(response.body);
    console.log(JSON.stringify({ step, status: response.statusCode, body }));
    next(body);
  });
}

const login = {
  method: 'POST',
  url: `${env.DARGAH_BASE}/identity/token`,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  form: {
    grant_type: 'password',
    client_id: env.DARGAH_CLIENT_ID,
    Client_secret: env.DARGAH_CLIENT_SECRET,
    username: env.DARGAH_USERNAME,
    password: env.DARGAH_PASSWORD,
  },
};

report('token', login, (issued) => {
  const question = {
    method: 'POST',
    url: `${env.DARGAH_BASE}/ai/etebar/info`,
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${issued.access_token}` },
    body: JSON.stringify({ NationalCode: env.DARGAH_NATIONAL_CODE, Cellphone: env.DARGAH_MOBILE }),
  };
  report('info', question, () => {});
});
