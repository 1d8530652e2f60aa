// The server of socket.io that bench measures: what is posted to /publish goes to everyone, as a user of the
// library would write it. It prints its address and serves until it is killed.
import { createServer } from "node:http";
import { Server } from "socket.io";

const web = createServer((req, res) => {
  let body = "";
  req.on("data", (part) => (body += part));
  req.on("end", () => {
    io.emit("message", JSON.parse(body));
    res.writeHead(200, { "Content-Type": "application/json", "Content-Length": 2 });
    res.end("{}");
  });
});
// No ping falls into a measurement: the readers would have to answer it.
const io = new Server(web, { serveClient: false, pingInterval: 600_000 });
web.keepAliveTimeout = 600_000;
web.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${web.address().port}`));
