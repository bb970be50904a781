// axios with a config object, the form made by qs.
const axios = require('axios');
const qs = require('qs');

const env = process.env;

function report(step) {
  return (response) => {
    console.log(JSON.stringify({ step, status: response.status, body: response.data }));
    return response.data;
  };
}

axios({
  method: 'post',
  url: `${env.DARGAH_BASE}/identity/token`,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  data: qs.stringify({
    grant_type: 'password',
    client_id: env.DARGAH_CLIENT_ID,
    Client_secret: env.DARGAH_CLIENT_SECRET,
    username: env.DARGAH_USERNAME,
    password: env.DARGAH_PASSWORD,
  }),
})
  .then(report('token'))
  .then((issued) =>
    axios({
      method: 'post',
      url: `${env.DARGAH_BASE}/ai/etebar/info`,
      headers: { Authorization: `Bearer ${issued.access_token}`, 'Content-Type': 'application/json' },
      data: JSON.stringify({ NationalCode: env.DARGAH_NATIONAL_CODE, Cellphone: env.DARGAH_MOBILE }),
    }),
  )
  .then(report('info'))
  .catch((error) => {
    console.error(error.message, error.response && error.response.data);
    process.exitCode = 1;
  });
