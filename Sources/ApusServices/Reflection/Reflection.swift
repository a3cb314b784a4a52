// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// The standard reflection service in its versions v1 and v1alpha: tells clients that come without .proto files, such
/// as command-line tools, what a server serves and how its messages look.
///
/// ```swift
/// let services: [any Service] = [Users(), Orders()]
/// let server = try Server(services + [Reflection(services)])
/// ```
///
/// Whoever can call the server can read them. Source: gRPC, *Server Reflection Protocol*.
public struct Reflection: Service {
    private let v1: ReflectionHandler
    private let v1alpha: AlphaReflectionHandler

    /// Reflection of services, and of itself. Services without a ``Service/descriptor`` are listed by their name only.
    ///
    /// - Throws: INVALID_ARGUMENT for a descriptor that is none; FAILED_PRECONDITION when two different .proto files
    ///   have one name.
    public init(_ services: [any Service]) throws(RPCError) {
        var index = DescriptorIndex()
        for service in services + [ReflectionHandler(), AlphaReflectionHandler()] as [any Service] {
            index.services.formUnion(service.routes.map(\.method.service))
            if let descriptor = service.descriptor { try index.add(descriptor) }
        }
        v1 = ReflectionHandler(index: index)
        v1alpha = AlphaReflectionHandler(index: index)
    }

    /// `ServerReflectionInfo` in both versions.
    public var routes: [Route] { v1.routes + v1alpha.routes }

    /// The .proto file of version v1.
    public var descriptor: ServiceDescriptor? { v1.descriptor }
}
