# Ruby's Net::HTTP: a Post object with its body set as one string.
require "json"
require "net/http"
require "uri"

def report(step, path, body, headers)
  url = URI(ENV.fetch("DARGAH_BASE") + path)
  http = Net::HTTP.new(url.host, url.port)
  request = Net::HTTP::Post.new(url)
  headers.each { |name, value| request[name] = value }
  request.body = body
  response = http.request(request)
  answer = JSON.parse(response.read_body)
  puts JSON.generate(step: step, status: response.code.to_i, body: answer)
  answer
end

form = URI.encode_www_form(
  "grant_type" => "password",
  "client_id" => ENV.fetch("DARGAH_CLIENT_ID"),
  "Client_secret" => ENV.fetch("DARGAH_CLIENT_SECRET"),
  "username" => ENV.fetch("DARGAH_USERNAME"),
  "password" => ENV.fetch("DARGAH_PASSWORD")
)
issued = report("token", "/identity/token", form, "Content-Type" => "application/x-www-form-urlencoded")

question = JSON.generate(
  "NationalCode" => ENV.fetch("DARGAH_NATIONAL_CODE"),
  "Cellphone" => ENV.fetch("DARGAH_MOBILE")
)
report("info", "/ai/etebar/info", question,
       "Content-Type" => "application/json", "Authorization" => "Bearer #{issued["access_token"]}")
