// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser

/// A mistake in what was asked for, found before any call: in a file, in JSON, in a flag's value.
struct Mistake: Error {
    // EX_USAGE of BSD's sysexits.
    static let status: Int32 = 64
    let text: String

    init(_ text: String) { self.text = text }

    /// Runs what reads files: its errors are mistakes, not statuses of a call.
    static func finding<Value>(_ body: () throws(RPCError) -> Value) throws(Mistake) -> Value {
        do throws(RPCError) {
            return try body()
        } catch {
            throw Mistake(error.message)
        }
    }
}

/// Why a command failed: one line that says what to do, and the status of the process.
struct Failure {
    let line: String
    let status: Int32

    /// Nil for errors that the parser of arguments knows how to tell.
    init?(_ error: any Error) {
        switch error {
        case let error as RPCError: self.init(error)
        case let mistake as Mistake:
            self.init(line: mistake.text, status: Mistake.status)
        case is CancellationError:
            self.init(line: "interrupted", status: Int32(Status.Code.cancelled.rawValue))
        default: return nil
        }
    }

    init(_ error: RPCError) {
        let advice = Self.advice(for: error).map { "; \($0)" } ?? ""
        self.init(line: "\(error)\(advice)", status: Int32(error.code.rawValue))
    }

    private init(line: String, status: Int32) {
        // A server's message may have line ends, and may want to paint on the terminal.
        self.line = Screen.harmless(line)
        self.status = status
    }

    private static func advice(for error: RPCError) -> String? {
        let text = "\(error)"
        switch error.code {
        case .unimplemented where text.contains("reflection"):
            return "give the .proto files with --proto, or a descriptor set with --descriptor-set"
        case .unavailable where text.contains("refused") || text.contains("no such file"):
            return "is the server running, and is this its address?"
        case .unavailable where text.contains("look up"): return "check the host's name"
        case .unavailable where text.contains("certificate"):
            return "name the authority with --cacert, or the server with --server-name"
        case .unavailable where text.contains("TLS") || text.contains("handshake"):
            return "does the server speak TLS? then --tls, otherwise leave it out"
        case .deadlineExceeded: return "a longer time is given with --timeout"
        case .unauthenticated: return "credentials go into -H, as in -H 'authorization: Bearer TOKEN'"
        default: return nil
        }
    }
}
