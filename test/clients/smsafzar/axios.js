// axios.post with an object and a set of headers.
const axios = require('axios');

const env = process.env;
const headers = {
  'Cache-Control': 'no-cache',
  Accept: 'application/json',
  'Content-Type': 'application/json',
};
const account = {
  userName: env.DARGAH_USERNAME,
  password: env.DARGAH_PASSWORD,
  domain: env.DARGAH_DOMAIN,
};

function report(step) {
  return (response) => {
    console.log(JSON.stringify({ step, status: response.status, body: response.data }));
    return response.data;
  };
}

axios
  .post(`${env.DARGAH_BASE}/auth/token`, account, { headers })
  .then(report('token'))
  .then((issued) =>
    axios.get(`${env.DARGAH_BASE}/account/balance`, {
      headers: { ...headers, Authorization: `Bearer ${issued.token}` },
    }),
  )
  .then(report('balance'))
  .catch((error) => {
    console.error('failed:', error.response ? error.response.data : error.message);
    process.exitCode = 1;
  });
