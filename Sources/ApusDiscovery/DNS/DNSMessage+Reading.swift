// SPDX-License-Identifier: Apache-2.0

/// Bytes that are no DNS message.
struct DNSFormatError: Error, Equatable {}

extension DNSMessage {
    /// Records of an answer that are read; those beyond are left out.
    private static let maximumRecords = 512

    /// Reads a message: its header, its question, and those answers whose types are known here. The sections behind
    /// them are not looked at.
    init(reading bytes: [UInt8]) throws(DNSFormatError) {
        var reader = DNSReader(bytes)
        id = try reader.number()
        let flags = try reader.number()
        isAnswer = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        code = UInt8(flags & 0xF)
        let (questions, answers) = (try reader.number(), try reader.number())
        _ = try reader.take(4)
        var question: DNSQuestion?
        for _ in 0..<questions { question = try reader.question() }
        self.question = questions == 1 ? question : nil
        var records: [DNSRecord] = []
        for _ in 0..<answers where records.count < Self.maximumRecords {
            do throws(DNSFormatError) {
                if let record = try reader.record() { records.append(record) }
            } catch {
                // What was cut off is cut anywhere: the whole comes over TCP.
                guard isTruncated else { throw error }
                break
            }
        }
        self.records = records
    }
}

/// Reads the parts of a message from its bytes.
struct DNSReader {
    // A name of 255 bytes has at most 127 labels; real ones need one jump.
    private static let maximumJumps = 32
    private static let canonicalName: UInt16 = 5

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func take(_ count: Int) throws(DNSFormatError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw DNSFormatError() }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func number() throws(DNSFormatError) -> UInt16 { try take(2).reduce(0) { $0 << 8 | UInt16($1) } }

    /// Nil for a question that nobody here asks.
    mutating func question() throws(DNSFormatError) -> DNSQuestion? {
        let (name, type, kind) = (try name(), try number(), try number())
        guard kind == DNSMessage.internet, let type = DNSQuestion.RecordType(rawValue: type) else { return nil }
        return DNSQuestion(name: name, type: type)
    }

    /// Nil for a record of another type.
    mutating func record() throws(DNSFormatError) -> DNSRecord? {
        let (name, type, kind) = (try name(), try number(), try number())
        // For how long it holds: the interval of the look-ups says that here.
        _ = try take(4)
        let end = Int(try number()) + position
        guard end <= bytes.count else { throw DNSFormatError() }
        let content = kind == DNSMessage.internet ? try content(type, end: end) : nil
        position = end
        return content.map { DNSRecord(name: name, content: $0) }
    }

    private mutating func content(_ type: UInt16, end: Int) throws(DNSFormatError) -> DNSRecord.Content? {
        let content: DNSRecord.Content? =
            switch type {
            case DNSQuestion.RecordType.txt.rawValue: .text(try strings(end: end))
            case DNSQuestion.RecordType.srv.rawValue: .service(try service())
            case Self.canonicalName: .canonicalName(try name())
            default: nil
            }
        guard content == nil || position == end else { throw DNSFormatError() }
        return content
    }

    private mutating func service() throws(DNSFormatError) -> ServiceRecord {
        let (priority, weight, port) = (try number(), try number(), try number())
        let target = try name()
        // A target that is no host is as good as none.
        return ServiceRecord(priority: priority, weight: weight, port: port, host: target.host)
    }

    private mutating func strings(end: Int) throws(DNSFormatError) -> [UInt8] {
        var text: [UInt8] = []
        while position < end {
            let count = Int(try take(1).first ?? 0)
            guard count <= end - position else { throw DNSFormatError() }
            text += try take(count)
        }
        return text
    }

    /// A name, whose end may stand further in front. Source: RFC 1035, section 4.1.4.
    private mutating func name() throws(DNSFormatError) -> DomainName {
        var labels: [[UInt8]] = []
        var size = 1
        var jumps = 0
        var end: Int?
        while true {
            let start = position
            let length = try take(1).first ?? 0
            switch length & 0xC0 {
            case 0 where length == 0:
                position = end ?? position
                guard let name = DomainName(labels: labels) else { throw DNSFormatError() }
                return name
            case 0:
                size += Int(length) + 1
                guard size <= 255 else { throw DNSFormatError() }
                labels.append(Array(try take(Int(length))))
            case 0xC0:
                let target = Int(length & 0x3F) << 8 | Int(try take(1).first ?? 0)
                jumps += 1
                // Only to the front, and not often: so that it ends.
                guard target < start, jumps <= Self.maximumJumps else { throw DNSFormatError() }
                end = end ?? position
                position = target
            default: throw DNSFormatError()
            }
        }
    }
}
