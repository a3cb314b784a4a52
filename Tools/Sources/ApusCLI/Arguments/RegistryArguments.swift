// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusEtcd
import ArgumentParser
import Foundation

/// Which registry to ask.
struct RegistryArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A registry in this folder.", valueName: "path")) var directory: String?
    @Option(help: ArgumentHelp("A registry in etcd; several members with commas.", valueName: "host:port,…"))
    var etcd: String?
    @Option(help: ArgumentHelp("The user of etcd; the password is in ETCD_PASSWORD.", valueName: "name"))
    var etcdUser: String?
    @Option(help: ArgumentHelp("Speak TLS to etcd, and trust these authorities.", valueName: "pem"))
    var etcdCacert: String?

    func validate() throws {
        guard directory == nil || etcd == nil else { throw ValidationError("Either --directory or --etcd.") }
    }

    /// The registry; nil when none is named.
    func open() throws -> (any Registry)? {
        if let directory { return DirectoryRegistry(path: directory) }
        guard let members = try members() else { return nil }
        return try EtcdRegistry(members, options: etcdOptions()) { StandardOutput().complain("apus: \($0)") }
    }

    /// The addresses of etcd's members; nil for another registry.
    func members() throws(Mistake) -> [Endpoint.Address]? {
        guard let etcd else { return nil }
        var members: [Endpoint.Address] = []
        for text in etcd.split(separator: ",") {
            guard let address = Endpoint.Address(String(text)) else {
                throw Mistake("'\(text)' is no address of etcd: write host:port, such as 127.0.0.1:2379")
            }
            members.append(address)
        }
        return members
    }
}

extension RegistryArguments {
    /// How to speak to etcd.
    func etcdOptions() throws(Mistake) -> EtcdOptions {
        var options = EtcdOptions()
        options.tls = etcdCacert.map { ClientTLS(roots: .file($0)) }
        if let etcdUser {
            guard let password = ProcessInfo.processInfo.environment["ETCD_PASSWORD"] else {
                throw Mistake("the password of etcd's user \(etcdUser) is missing: put it into ETCD_PASSWORD")
            }
            options.user = EtcdOptions.User(etcdUser, password: password)
        }
        return options
    }
}
