// SPDX-License-Identifier: Apache-2.0

@testable import ApusDiscovery

/// Writes what a name server answers: the question repeated, and records whose names point at the question's.
struct AnswerBytes {
    private let question: DNSQuestion?
    private let id: UInt16
    private let flags: UInt16
    private var count: UInt16 = 0
    private var records: [UInt8] = []

    init(_ question: DNSQuestion?, id: UInt16, code: UInt16 = 0, truncated: Bool = false, isAnswer: Bool = true) {
        self.question = question
        self.id = id
        flags = (isAnswer ? 0x8000 : 0) | (truncated ? 0x0200 : 0) | code
    }

    /// An answer to a message that came in.
    init(to query: [UInt8], code: UInt16 = 0, truncated: Bool = false) {
        let message = try? DNSMessage(reading: query)
        self.init(message?.question, id: message?.id ?? 0, code: code, truncated: truncated)
    }

    static func numbers(_ numbers: UInt16...) -> [UInt8] { numbers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }

    /// Behind the header stands the question's name.
    static let pointer: [UInt8] = [0xC0, 12]

    func with(_ type: UInt16, _ data: [UInt8], name: [UInt8] = pointer) -> AnswerBytes {
        var result = self
        result.count += 1
        result.records += name + Self.numbers(type, 1, 0, 60, UInt16(data.count)) + data
        return result
    }

    func text(_ strings: String...) -> AnswerBytes {
        with(16, strings.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) })
    }

    func service(_ host: String, _ port: UInt16, priority: UInt16 = 0, weight: UInt16 = 0) -> AnswerBytes {
        with(33, Self.numbers(priority, weight, port) + (DomainName(host)?.bytes ?? [0]))
    }

    var bytes: [UInt8] {
        var asked: [UInt8] = []
        if let question { asked = question.name.bytes + Self.numbers(question.type.rawValue, 1) }
        return Self.numbers(id, flags, question == nil ? 0 : 1, count, 0, 0) + asked + records
    }
}

extension DNSQuestion {
    static func services(_ name: String) -> DNSQuestion { asked(name, .srv) }
    static func texts(_ name: String) -> DNSQuestion { asked(name, .txt) }

    private static func asked(_ name: String, _ type: RecordType) -> DNSQuestion {
        guard let name = DomainName(name) else { preconditionFailure("\(name) is no name") }
        return DNSQuestion(name: name, type: type)
    }
}
