// SPDX-License-Identifier: Apache-2.0

import AdminDemo
import Apus
import ApusAdmin
import Testing

/// The page over real sockets: what only they can show. What it says is tested in the library.
@Suite struct AdminServerTests {
    @Test func `the page answers over HTTP, and ends with its servers`() async throws {
        try await withPage { shop, port async throws in
            _ = try await shop.ask("a swift")
            let page = try await RawRequest("/").answer(port: port)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(page.contains("\r\nContent-Security-Policy: default-src 'none'; "))
            #expect(page.hasSuffix("</html>\n"))
            let metrics = try await RawRequest("/metrics").answer(port: port)
            #expect(metrics.contains("grpc_client_call_duration_seconds_count{"))
            let connections = try await RawRequest("/connections.json").answer(port: port)
            #expect(connections.contains("\"state\": \"READY\""))
            let head = try await RawRequest("/metrics", method: "HEAD").answer(port: port)
            #expect(head.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `probes tell life and readiness`() async throws {
        try await withPage { shop, port async throws in
            #expect(try await RawRequest("/healthz").answer(port: port).hasSuffix("\r\n\r\nok\n"))
            #expect(try await RawRequest("/readyz").answer(port: port).hasPrefix("HTTP/1.1 200 "))
            shop.health.set("", .notServing)
            #expect(try await RawRequest("/readyz").answer(port: port).hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test func `events come one after the other`() async throws {
        try await withPage {
            $0.interval = .milliseconds(600)
        } _: { _, port async throws in
            let socket = try ClientSocket(port: port)
            socket.send(RawRequest("/events").text)
            let text = await socket.receive { $0.components("data: {").count >= 4 }
            #expect(text.contains("\r\nContent-Type: text/event-stream"))
            #expect(text.components("\"name\": \"quotes\"").count > 1)
        }
    }

    @Test func `of readers of events there are only so many`() async throws {
        try await withPage {
            $0.maximumListeners = 1
        } _: { _, port async throws in
            let first = try ClientSocket(port: port)
            first.send(RawRequest("/events").text)
            _ = await first.receive { $0.contains("data: ") }
            let second = try await RawRequest("/events").answer(port: port)
            #expect(second.hasPrefix("HTTP/1.1 503 "))
            withExtendedLifetime(first) {}
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a reader who does not read makes room for another`() async throws {
        try await withPage {
            $0.maximumListeners = 1
            $0.interval = .milliseconds(1)
            $0.patience = .seconds(1)
        } _: { _, port in
            let silent = try ClientSocket(port: port)
            silent.send(RawRequest("/events").text)
            _ = await silent.receive { $0.contains("data: ") }
            // The system's buffers fill up, then the page's patience ends.
            var answer = "HTTP/1.1 503 "
            while !answer.hasPrefix("HTTP/1.1 200 ") {
                let other = try ClientSocket(port: port)
                other.send(RawRequest("/events").text)
                answer = await other.receive { $0.contains("\r\n\r\n") }
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            withExtendedLifetime(silent) {}
        }
    }

    @Test func `a stranger's host name, a content and a method that writes are refused`() async throws {
        try await withPage { _, port async throws in
            let stranger = RawRequest("/metrics", host: "evil.example:\(port)")
            #expect(try await stranger.answer(port: port).hasPrefix("HTTP/1.1 421 "))
            let content = RawRequest("/", method: "POST", fields: ["Content-Length: 3"])
            #expect(try await content.answer(port: port).hasPrefix("HTTP/1.1 413 "))
            #expect(try await RawRequest("/", method: "DELETE").answer(port: port).hasPrefix("HTTP/1.1 405 "))
            #expect(try await RawRequest(text: "hello\r\n\r\n").answer(port: port).hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func `who does not finish its request is told so`() async throws {
        try await withPage {
            $0.patience = .seconds(1)
        } _: { _, port async throws in
            let slow = RawRequest(text: "GET / HTTP/1.1\r\nHost: ")
            #expect(try await slow.answer(port: port).hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func `more connections than the limit are closed`() async throws {
        try await withPage {
            $0.maximumConnections = 1
            $0.patience = .seconds(60)
        } _: { _, port async throws in
            let first = try ClientSocket(port: port)
            first.send(RawRequest("/events").text)
            _ = await first.receive { $0.contains("data: ") }
            #expect(try await RawRequest("/healthz").answer(port: port) == "")
            withExtendedLifetime(first) {}
        }
    }

    @Test func `with a token nothing is told without it`() async throws {
        let token = "0123456789abcdef"
        try await withPage {
            $0.token = token
            $0.host = "0.0.0.0"
        } _: { _, port async throws in
            #expect(try await RawRequest("/rpcz").answer(port: port).hasPrefix("HTTP/1.1 401 "))
            #expect(try await RawRequest("/rpcz?token=\(token)").answer(port: port).hasPrefix("HTTP/1.1 401 "))
            let right = RawRequest("/rpcz", fields: ["Authorization: Bearer \(token)"])
            #expect(try await right.answer(port: port).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `an address that others reach needs a token`() async throws {
        var options = AdminOptions()
        options.host = "0.0.0.0"
        let page = AdminServer(AdminTelemetry(), options: options)
        await #expect { try await page.run() } throws: { ($0 as? RPCError)?.code == .invalidArgument }
    }

    @Test func `a port that is taken is an error that names it`() async throws {
        try await withPage { _, port async throws in
            var options = AdminOptions()
            options.port = port
            let second = AdminServer(AdminTelemetry(), options: options)
            await #expect {
                try await second.run()
            } throws: {
                guard let error = $0 as? RPCError else { return false }
                return error.code == .unavailable && error.message.contains("127.0.0.1:\(port)")
            }
        }
    }

    @Test func `a page without servers ends with its task`() async throws {
        var options = AdminOptions()
        options.port = 0
        let page = AdminServer(AdminTelemetry(), options: options)
        let (addresses, told) = AsyncStream.makeStream(of: String.self)
        let task = Task { try await page.run { told.yield($0) } }
        let address = await addresses.first { _ in true }
        #expect(address?.hasPrefix("http://127.0.0.1:") == true)
        task.cancel()
        try await task.value
    }
}

extension String {
    fileprivate func components(_ text: String) -> [Substring] {
        split(separator: text, omittingEmptySubsequences: false)
    }
}
