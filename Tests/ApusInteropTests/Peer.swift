// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import Testing

@testable import ApusInterop

/// Another implementation of gRPC with an interop server and client of its own.
enum Peer: CaseIterable, CustomTestStringConvertible {
    case grpcio
    case cpp

    var testDescription: String {
        switch self {
        case .grpcio: "Python's gRPC"
        case .cpp: "gRPC C++"
        }
    }

    func server(_ arguments: [String]) throws -> PeerProcess {
        switch self {
        case .grpcio: try PeerProcess(python: "Tests/Peers/interop_server.py", arguments)
        case .cpp: try PeerProcess(cpp: "interop_server", arguments)
        }
    }

    func client(_ arguments: [String]) throws -> PeerProcess {
        switch self {
        case .grpcio: try PeerProcess(python: "Tests/Peers/interop_client.py", arguments)
        case .cpp: try PeerProcess(cpp: "interop_client", arguments)
        }
    }

    /// The cases that its server can pass; `Tests/Peers/README.md` tells about the others.
    var served: [InteropCase] {
        switch self {
        case .grpcio: called.filter { !$0.name.hasPrefix("client_compressed_") }
        case .cpp: InteropCase.positive
        }
    }

    /// The cases that its client has.
    var called: [InteropCase] {
        switch self {
        case .grpcio: InteropCase.positive.filter { !$0.name.hasPrefix("orca_") }
        case .cpp: InteropCase.positive.filter { $0.name != "orca_per_rpc" }
        }
    }
}

/// A certificate for 127.0.0.1 in files, and the authority that others must trust for it. The files go with it.
final class CertificateFiles: Sendable {
    /// What the server's certificate says besides its address.
    static let name = "interop.test"
    private let folder: URL
    var roots: String { folder.appending(path: "roots.pem").path }
    var chain: String { folder.appending(path: "chain.pem").path }
    var key: String { folder.appending(path: "key.pem").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let authority = try TLSTestAuthority()
        let certificate = try authority.issue(dns: [Self.name], ip: ["127.0.0.1"])
        try Data(authority.pem.utf8).write(to: URL(filePath: roots))
        for (source, path) in [(certificate.chain, chain), (certificate.privateKey, key)] {
            guard case .bytes(let bytes) = source else { continue }
            try Data(bytes).write(to: URL(filePath: path))
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}
