// SPDX-License-Identifier: Apache-2.0

import Apus
import ParrotSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CallProgramTests {
    private let parrot: LoopbackParrot

    init() throws { parrot = try LoopbackParrot() }

    private func call(_ method: String, _ words: String..., input: String = "") async throws -> ToolProcess.End {
        let all = ["call", parrot.address, "apus.tools.v1.Parrot/\(method)"] + words
        return try await ToolProcess(all, input: input).end()
    }

    @Test func `a unary call answers with JSON, and metadata arrives`() async throws {
        let end = try await call(
            "Say", "-d", #"{"text": "hi", "volume": "VOLUME_LOUD"}"#, "-H", "x-id: 7", "-H", "x-raw-bin: AQI=")
        #expect(end.status == 0, "\(end.errors)")
        let answer = """
            {
              "text": "hi",
              "number": "1",
              "metadata": {
                "x-id": "7",
                "x-raw-bin": "[1, 2]"
              }
            }

            """
        #expect(end.output == answer)
        #expect(end.errors == "")
        await parrot.stop()
    }

    @Test func `a request comes from the standard input or a file, too`() async throws {
        let piped = try await call("Say", "--compact", input: #"{"text": "pipe"}"#)
        #expect(piped.output == "{\"text\":\"pipe\",\"number\":\"1\"}\n")
        let scratch = try Scratch()
        let file = try scratch.write(#"{"text": "file"}"#, to: "say.json")
        let read = try await call("Say", "--compact", "-d", "@" + file)
        #expect(read.output == "{\"text\":\"file\",\"number\":\"1\"}\n")
        await parrot.stop()
    }

    @Test func `a stream of answers is printed one by one, and its error is the end`() async throws {
        let whole = try await call("Repeat", "--compact", "-d", #"{"text": "a", "times": 3}"#)
        #expect(whole.output == (1...3).map { "{\"text\":\"a\",\"number\":\"\($0)\"}\n" }.joined())
        #expect(whole.status == 0)
        let broken = try await call("Repeat", "--compact", "-d", #"{"text": "a", "times": 2, "failure": 1}"#)
        #expect(broken.output.split(separator: "\n").count == 2)
        #expect(broken.status == 10)
        #expect(broken.errors.hasPrefix("apus: ABORTED: the parrot flew away"))
        await parrot.stop()
    }

    @Test func `a stream of requests is read message by message`() async throws {
        let end = try await call("Join", "--compact", input: "{\"text\":\"a\"}\n{\"text\":\"b\"} {\"text\":\"c\"}")
        #expect(end.output == "{\"text\":\"a b c\",\"number\":\"3\"}\n")
        #expect(end.status == 0)
        await parrot.stop()
    }

    @Test func `in a conversation each answer comes before the next request is written`() async throws {
        let process = try ToolProcess(
            ["call", parrot.address, "apus.tools.v1.Parrot/Chat", "--compact"], input: nil)
        for number in 1...3 {
            process.write("{\"text\": \"\(number)\"}\n")
            #expect(await process.nextLine() == "{\"text\":\"\(number)\",\"number\":\"\(number)\"}")
        }
        process.closeInput()
        #expect(await process.end().status == 0)
        await parrot.stop()
    }

    @Test(arguments: ["Join", "Chat"])
    func `a server that ends a call first is heard while the next request is waited for`(method: String) async throws {
        let process = try ToolProcess(["call", parrot.address, "apus.tools.v1.Parrot/\(method)"], input: nil)
        process.write("{\"text\": \"enough\", \"failure\": 9}\n")
        let end = await process.end()
        #expect(end.status == 9)
        #expect(end.errors.hasPrefix("apus: FAILED_PRECONDITION: enough"))
        await parrot.stop()
    }

    @Test(arguments: [Status.Code.notFound, .permissionDenied, .unavailable, .unauthenticated])
    func `an error is one line, and its code the status`(code: Status.Code) async throws {
        let end = try await call(
            "Say", "--stack", "bare", "-d", "{\"text\": \"no\\nway\", \"failure\": \(code.rawValue)}")
        #expect(end.status == Int32(code.rawValue))
        #expect(end.output == "")
        #expect(end.errors.hasPrefix("apus: \(code.name): no\\nway (peer 127.0.0.1:"))
        #expect(end.errors.split(separator: "\n").count == 1)
        await parrot.stop()
    }

    @Test func `a deadline ends a call`() async throws {
        let end = try await call("Say", "-d", #"{"pauseMs": 600000}"#, "--timeout", "500ms")
        #expect(end.status == 4)
        #expect(end.errors.hasSuffix("a longer time is given with --timeout\n"))
        await parrot.stop()
    }

    @Test(arguments: [
        #"{"texts": 1}"#, #"{"text": "#, "{} {}", "{\"volume\": \"SILENT\"}", "@/none.json",
    ])
    func `a wrong request is told before anything is called`(data: String) async throws {
        let end = try await call("Say", "-d", data)
        #expect(end.status == 64)
        #expect(end.errors.hasPrefix("apus: "))
        #expect(end.errors.split(separator: "\n").count == 1)
        #expect(parrot.running.counts.calls <= 1)
        await parrot.stop()
    }

    @Test func `a wrong request in a stream is told instead of the cancellation`() async throws {
        for method in ["Join", "Chat"] {
            let end = try await call(method, input: "{\"text\":\"a\"}{\"texts\":1}")
            #expect(end.status == 64, "\(method)")
            #expect(end.errors.contains("no such field"))
        }
        await parrot.stop()
    }

    @Test func `verbose tells what went out, what came, and the status`() async throws {
        let end = try await call("Say", "-v", "-H", "x-id: 7", "-d", #"{"text": "hi"}"#)
        let lines = end.errors.split(separator: "\n")
        #expect(lines.contains("> /apus.tools.v1.Parrot/Say"))
        #expect(lines.contains("> x-id: 7"))
        #expect(lines.contains { $0.hasPrefix("* try 1 goes to 127.0.0.1:") })
        #expect(lines.last?.hasPrefix("= OK (0) after ") == true)
        await parrot.stop()
    }
}
