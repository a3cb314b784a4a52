// SPDX-License-Identifier: Apache-2.0

/// What is asked of a name server: records of one type at one name.
struct DNSQuestion: Hashable, Sendable {
    /// The types of records that are asked for here. Source: RFC 1035, section 3.2.2; RFC 2782.
    enum RecordType: UInt16 {
        case txt = 16
        case srv = 33
    }

    let name: DomainName
    let type: RecordType

    /// The question as a message: recursion is asked for, and with EDNS answers of more than 512 bytes.
    /// Source: RFC 1035, section 4.1; RFC 6891, section 6.1.2.
    func message(id: UInt16, usesEDNS: Bool) -> [UInt8] {
        let recursionDesired: UInt16 = 0x0100
        let header = [id, recursionDesired, 1, 0, 0, usesEDNS ? 1 : 0]
        let options: [UInt8] = [0] + Self.bytes([41, DNSMessage.largestDatagram, 0, 0, 0])
        return Self.bytes(header) + name.bytes + Self.bytes([type.rawValue, DNSMessage.internet])
            + (usesEDNS ? options : [])
    }

    private static func bytes(_ numbers: [UInt16]) -> [UInt8] {
        numbers.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }
}

/// A name server's answer.
struct DNSMessage: Sendable, Equatable {
    /// The response codes that are told apart. Source: RFC 1035, section 4.1.1.
    enum Code {
        static let noError: UInt8 = 0
        static let formatError: UInt8 = 1
        static let nameError: UInt8 = 3
        static let notImplemented: UInt8 = 4
        static let refused: UInt8 = 5
    }

    /// What an answer over UDP may have, in bytes: as much as passes nearly every network in one packet, as resolvers have
    /// agreed on in 2020. More comes over TCP.
    static let largestDatagram: UInt16 = 1232
    /// The class of all records here.
    static let internet: UInt16 = 1

    let id: UInt16
    let isAnswer: Bool
    /// Whether records are missing that did not fit: they are to be had over TCP.
    let isTruncated: Bool
    let code: UInt8
    /// Nil when the server did not repeat one question of a known type.
    let question: DNSQuestion?
    let records: [DNSRecord]

    /// The data of records of the question's type at its name, or at the name that it is another word for.
    func answers(to question: DNSQuestion) -> [DNSRecord.Content] {
        var name = question.name
        // Other words for other words: RFC 1034 wants few, and a ring of them has no end.
        for _ in 0..<8 {
            let here = records.filter { $0.name == name }.map(\.content)
            let wanted = here.filter { $0.type == question.type }
            guard wanted.isEmpty, let next = here.lazy.compactMap(\.canonicalName).first else { return wanted }
            name = next
        }
        return []
    }
}

/// A record of an answer.
struct DNSRecord: Sendable, Equatable {
    /// A record's data.
    enum Content: Sendable, Equatable {
        /// The strings of the record, one behind the other.
        case text([UInt8])
        case service(ServiceRecord)
        /// The name is another word for this one.
        case canonicalName(DomainName)

        var type: DNSQuestion.RecordType? {
            switch self {
            case .text: .txt
            case .service: .srv
            case .canonicalName: nil
            }
        }

        var canonicalName: DomainName? { if case .canonicalName(let name) = self { name } else { nil } }
    }

    let name: DomainName
    let content: Content
}

/// Where a service is to be had. Source: RFC 2782.
package struct ServiceRecord: Sendable, Equatable {
    /// Those with the lowest number come first; the others are there for when none of these can be had.
    package let priority: UInt16
    /// The share of clients among records of a priority; 0 for hardly any.
    package let weight: UInt16
    package let port: UInt16
    /// Nil when the record says that there is no such service.
    package let host: String?

    package init(priority: UInt16, weight: UInt16, port: UInt16, host: String?) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.host = host
    }
}
