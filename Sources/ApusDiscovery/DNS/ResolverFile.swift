// SPDX-License-Identifier: Apache-2.0

/// What /etc/resolv.conf says of the name servers. Source: resolv.conf(5).
struct ResolverFile: Equatable, Sendable {
    static let path = "/etc/resolv.conf"
    private static let maximumBytes = 64 * 1024
    private static let maximumServers = 3

    /// Numeric addresses, in the order in which they are to be asked.
    var servers: [String] = []
    /// The time that a server has for its answer, in seconds.
    var timeout = 2
    /// How often all servers are asked.
    var attempts = 2

    /// Without a server the machine's own is asked, as the system does.
    init(reading text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver": if servers.count < Self.maximumServers { servers.append(String(words[1])) }
            case "options": for option in words.dropFirst() { read(option) }
            default: break
            }
        }
        if servers.isEmpty { servers = ["127.0.0.1"] }
    }

    /// The file of this machine. One that cannot be read says nothing.
    static var present: ResolverFile {
        let bytes = (try? Files.read(path, limit: maximumBytes, following: true)) ?? []
        return ResolverFile(reading: String(decoding: bytes, as: UTF8.self))
    }

    private mutating func read(_ option: Substring) {
        let parts = option.split(separator: ":")
        guard parts.count == 2, let number = Int(parts[1]) else { return }
        switch parts[0] {
        case "timeout": timeout = min(max(number, 1), 5)
        case "attempts": attempts = min(max(number, 1), 5)
        default: break
        }
    }
}
