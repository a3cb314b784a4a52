// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation

/// A collector of Python's gRPC with OpenTelemetry's own messages, in a process of its own.
struct OTLPCollector {
    /// What it prints for each request.
    struct Request: Decodable {
        struct Item: Decodable {
            let service: String
            let name: String
            let trace: String?
            let span: String?
            let parent: String?
            let kind: Kind?
            let status: Int?
            let seconds: Double?
            let severity: String?
            let attributes: [String: String]?
            let events: [String]?
        }

        /// A span's kind is a number, a metric's a word.
        enum Kind: Decodable, Equatable {
            case number(Int)
            case word(String)

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let number = try? value.decode(Int.self) {
                    self = .number(number)
                } else {
                    self = .word(try value.decode(String.self))
                }
            }
        }

        let signal: String
        let refused: Bool
        let items: [Item]
    }

    let process: PeerProcess
    let port: Int

    /// - Parameters:
    ///   - port: 0 for any.
    ///   - refusals: how many requests of each signal are refused first.
    init(port: Int = 0, refusals: Int = 0) async throws {
        process = try PeerProcess(python: "Tests/Peers/otlp_receiver.py", ["\(port)", "\(refusals)"])
        let line = try await process.firstLine()
        guard let port = Int(line), port > 0 else { throw RPCError(.internal, "the receiver printed \(line)") }
        self.port = port
    }

    /// The next request.
    func next() async throws -> Request {
        try JSONDecoder().decode(Request.self, from: Data(try await process.firstLine().utf8))
    }
}
