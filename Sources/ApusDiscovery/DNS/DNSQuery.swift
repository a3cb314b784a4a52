// SPDX-License-Identifier: Apache-2.0

/// The course of one question: which server is asked next and how, and what an answer means. Pure; the numbers of its
/// messages come from outside.
///
/// All servers are asked in their order, and all of them again for each further attempt. A truncated answer is asked
/// for again over TCP, one that a server could not read for EDNS again without. Source: RFC 1035, sections 4.2 and 7;
/// RFC 6891, section 7; RFC 7766.
struct DNSQuery: Sendable {
    /// One message to one server.
    struct Try: Sendable, Equatable {
        /// The server's place in the list.
        var server: Int
        var id: UInt16
        var usesTCP = false
        var usesEDNS = true
    }

    enum Step: Sendable, Equatable {
        case ask(Try)
        /// The question is answered; by nothing when there are no such records.
        case answered([DNSRecord.Content])
        case failed(String)
        /// No server wants to answer, or can.
        case refused(String)
    }

    let question: DNSQuestion
    private let servers: Int
    private let tries: Int
    private var done = 0
    private(set) var current: Try
    private var lastFailure = "there is no name server"
    private var wasRefused = true

    init(_ question: DNSQuestion, servers: Int, attempts: Int, id: UInt16) {
        self.question = question
        self.servers = servers
        tries = servers * attempts
        current = Try(server: 0, id: id)
    }

    var message: [UInt8] { question.message(id: current.id, usesEDNS: current.usesEDNS) }

    /// How many servers may be asked yet, counting again for each attempt.
    var triesLeft: Int { tries - done }

    var first: Step { tries > 0 ? .ask(current) : .failed(lastFailure) }

    /// The server did not answer, or could not be asked.
    mutating func failed(_ reason: String, nextID: UInt16) -> Step {
        wasRefused = false
        return passed(over: reason, nextID)
    }

    private mutating func passed(over reason: String, _ nextID: UInt16) -> Step {
        lastFailure = reason
        done += 1
        guard done < tries else { return wasRefused ? .refused(reason) : .failed(reason) }
        current = Try(server: done % servers, id: nextID)
        return .ask(current)
    }

    /// Bytes came from the server.
    ///
    /// - Returns: nil when they are no answer to the message: then the answer may still come.
    mutating func received(_ bytes: [UInt8], nextID: UInt16) -> Step? {
        guard let answer = try? DNSMessage(reading: bytes), answer.isAnswer, answer.id == current.id else { return nil }
        // Servers that cannot read a question may leave it out.
        let cannotRead = [DNSMessage.Code.formatError, DNSMessage.Code.notImplemented].contains(answer.code)
        guard answer.question == question || cannotRead && answer.question == nil else { return nil }
        if cannotRead, current.usesEDNS { return again(nextID) { $0.usesEDNS = false } }
        switch answer.code {
        case DNSMessage.Code.nameError: return .answered([])
        case DNSMessage.Code.noError where !answer.isTruncated: return .answered(answer.answers(to: question))
        case DNSMessage.Code.noError where !current.usesTCP: return again(nextID) { $0.usesTCP = true }
        case DNSMessage.Code.noError: return failed("the answer is cut off", nextID: nextID)
        case DNSMessage.Code.notImplemented, DNSMessage.Code.refused:
            return passed(over: "the server says \(Self.name(answer.code))", nextID)
        default: return failed("the server says \(Self.name(answer.code))", nextID: nextID)
        }
    }

    private mutating func again(_ id: UInt16, _ change: (inout Try) -> Void) -> Step {
        current.id = id
        change(&current)
        return .ask(current)
    }

    private static func name(_ code: UInt8) -> String {
        switch code {
        case DNSMessage.Code.formatError: "FORMERR"
        case 2: "SERVFAIL"
        case DNSMessage.Code.notImplemented: "NOTIMP"
        case DNSMessage.Code.refused: "REFUSED"
        default: "code \(code)"
        }
    }
}
