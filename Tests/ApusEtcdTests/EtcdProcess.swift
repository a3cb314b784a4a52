// SPDX-License-Identifier: Apache-2.0

import ApusTestSupport
import ApusTransport
import Foundation
import Synchronization

/// Debian's etcd in a process of its own, with a folder of its own. Released, it is killed.
final class EtcdProcess: Sendable {
    /// Nothing to run it with.
    struct Missing: Error, CustomStringConvertible {
        let description = "there is no etcd: install it with 'apt-get install etcd-server' or '.ci/setup --peers'"
    }

    /// It did not begin to serve.
    struct Failure: Error, CustomStringConvertible {
        let output: String
        var description: String { "etcd does not serve:\n\(output.suffix(4000))" }
    }

    let port: Int
    private let peerPort: Int
    private let name: String
    // The names and addresses of all members.
    private let cluster: String
    private let tls: TLSCertificate?
    private let authority: String?
    private let folder: TemporaryFolder
    // Foundation's Process is not Sendable: it is used under this lock only.
    private let process = Mutex<Process?>(nil)

    /// Starts an etcd with an empty store, and waits until it serves.
    ///
    /// - Parameters:
    ///   - tls: the certificate that it shows; nil speaks cleartext.
    ///   - authority: in PEM, who must have signed the certificates of clients; nil asks for none.
    /// - Throws: ``Missing`` with the command that installs it; ``Failure`` with what it printed.
    convenience init(tls: TLSCertificate? = nil, authority: String? = nil) async throws {
        let (port, peerPort) = try FreePorts.two()
        try self.init("test", port, peerPort, "test=\(Self.peer(peerPort))", tls, authority)
        try await start()
    }

    private init(
        _ name: String, _ port: Int, _ peerPort: Int, _ cluster: String, _ tls: TLSCertificate?, _ authority: String?
    ) throws {
        folder = try TemporaryFolder()
        (self.name, self.port, self.peerPort, self.cluster) = (name, port, peerPort, cluster)
        (self.tls, self.authority) = (tls, authority)
    }

    /// Starts the members of one cluster, and waits until all serve.
    static func cluster(of count: Int) async throws -> [EtcdProcess] {
        let ports = try (0..<count).map { _ in try FreePorts.two() }
        let cluster = ports.enumerated().map { "m\($0)=\(peer($1.1))" }.joined(separator: ",")
        let members = try ports.enumerated().map { number, ports in
            try EtcdProcess("m\(number)", ports.0, ports.1, cluster, nil, nil)
        }
        // None serves before most of them run.
        for member in members { try member.launch() }
        for member in members { try await member.waitUntilItServes() }
        return members
    }

    private static func peer(_ port: Int) -> String { "http://127.0.0.1:\(port)" }

    deinit { kill() }

    /// What it printed.
    var output: String { (try? folder.text(of: "output")) ?? "" }

    /// Starts it, again after ``kill()`` with what its store holds, and waits until it serves.
    func start() async throws {
        try launch()
        try await waitUntilItServes()
    }

    private func launch() throws {
        guard let path = Self.executable else { throw Missing() }
        let child = Process()
        child.executableURL = URL(filePath: path)
        let (client, peer) = ("\(tls == nil ? "http" : "https")://127.0.0.1:\(port)", Self.peer(peerPort))
        child.arguments =
            [
                "--data-dir", "\(folder.path)/data", "--name", name, "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster,
            ] + (try securityArguments())
        // Without it etcd 3.4 starts on x86-64 alone.
        child.environment = ["PATH": "/usr/bin:/bin", "ETCD_UNSUPPORTED_ARCH": "arm64"]
        try folder.write("", to: "output")
        let log = try FileHandle(forWritingTo: URL(filePath: "\(folder.path)/output"))
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = log
        child.standardError = log
        try child.run()
        process.withLock { $0 = child }
    }

    private func securityArguments() throws -> [String] {
        guard let tls, case .bytes(let chain) = tls.chain, case .bytes(let key) = tls.privateKey else { return [] }
        try folder.write(String(decoding: chain, as: UTF8.self), to: "chain.pem")
        try folder.write(String(decoding: key, as: UTF8.self), to: "key.pem")
        let server = ["--cert-file", "\(folder.path)/chain.pem", "--key-file", "\(folder.path)/key.pem"]
        guard let authority else { return server }
        try folder.write(authority, to: "authority.pem")
        return server + ["--client-cert-auth", "--trusted-ca-file", "\(folder.path)/authority.pem"]
    }

    /// Ends it as a crash does, and waits until it is gone.
    func kill() {
        process.withLock { process in
            guard let child = process.take() else { return }
            if child.isRunning { _ = Foundation.kill(child.processIdentifier, SIGKILL) }
            _ = child.waitForEnd()
        }
    }

    private func waitUntilItServes() async throws {
        while !output.contains("ready to serve client requests"), !output.contains("serving insecure client requests") {
            guard process.withLock({ $0?.isRunning == true }) else { throw Failure(output: output) }
            // A glance at a file: its length is what matters, not when.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static var executable: String? {
        ["/usr/bin/etcd", "/usr/local/bin/etcd", "/opt/homebrew/bin/etcd"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// Ports that nobody had a moment ago: etcd cannot be asked which one it took.
private enum FreePorts {
    struct None: Error {}

    static func two() throws -> (Int, Int) {
        let first = socket(AF_INET, Self.stream, 0)
        let second = socket(AF_INET, Self.stream, 0)
        defer {
            close(first)
            close(second)
        }
        return (try bound(first), try bound(second))
    }

    #if canImport(Glibc)
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
    #endif

    private static func bound(_ descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) == 0 ? getsockname(descriptor, generic, &size) : -1
            }
        }
        guard status == 0 else { throw None() }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
