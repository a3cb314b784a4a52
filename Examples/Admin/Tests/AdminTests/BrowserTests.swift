// SPDX-License-Identifier: Apache-2.0

import AdminDemo
import Apus
import ApusAdmin
import Foundation
import Testing

/// The page in a real browser, Debian's Chromium, while calls are made.
@Suite(.timeLimit(.minutes(10))) struct BrowserTests {
    private struct Report: Decodable {
        struct Look: Decodable {
            let scheme: String
            let width: Int
            let text: String
            let contentWidth: Int
            let ground: String
        }

        let looks: [Look]
        let policies: String
        let complaints: [String]
    }

    private static func report(port: Int, _ arguments: String...) async throws -> Report {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Browser/read_page.py").path()
        let arguments = ["python3", script, "http://127.0.0.1:\(port)/"] + arguments
        let report: Data = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let result = Result<Data, any Error> { try output(of: arguments) }
                continuation.resume(with: result)
            }
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: report)
    }

    private static func output(of arguments: [String]) throws -> Data {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let reason = errors.fileHandleForReading.readDataToEndOfFile()
        // It prints its report last. Not its status: Foundation may hear of its end only when a sibling ends, too.
        guard !data.isEmpty else {
            throw PageError(what: String(decoding: reason, as: UTF8.self))
        }
        return data
    }

    @Test func `a reader sees services, counts and calls, in light and dark, wide and on a phone`() async throws {
        let report = try await withPage { shop, port async throws in
            for _ in 0..<40 { _ = try? await shop.ask("a swift") }
            // What an attacker might call a method or say in an error is text, and no markup.
            await #expect(throws: RPCError.self) { try await shop.ask("") }
            return try await Self.report(port: port)
        }
        #expect(report.complaints.isEmpty)
        #expect(report.looks.map(\.scheme) == ["light", "dark", "light", "dark"])
        for look in report.looks {
            let expected = ["quotes", "quotes-3", "1/3 = 33.3 %", "demo.Quotes/Price", "the price of <b>what</b>?"]
            for expected in expected {
                #expect(look.text.contains(expected), "\(expected) at \(look.width): \(look.text)")
            }
            #expect(look.text.contains("41"), "the calls made")
            #expect(look.contentWidth <= look.width, "nothing is wider than the window")
        }
        #expect(Set(report.looks.map(\.ground)).count == 2)
        for expected in ["Channel quotes", "Retry", "attempts", "Discovery"] {
            #expect(report.policies.contains(expected), "\(expected) in \(report.policies)")
        }
    }

    @Test func `a reader types the token in`() async throws {
        let token = "0123456789abcdef"
        let report = try await withPage {
            $0.token = token
        } _: { _, port async throws in
            try await Self.report(port: port, "--token", token)
        }
        #expect(report.complaints.isEmpty)
        #expect(report.looks.allSatisfy { $0.text.contains("quotes") })
    }
}
