-- What wrk sends to create a task.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"title":"Wash the car","description":"Inside and outside","priority":5}'
