// SPDX-License-Identifier: Apache-2.0

/// The .proto files behind a service: what server reflection tells to clients that come without them.
public struct ServiceDescriptor: Sendable, Hashable {
    /// The full name of the service, such as `users.v1.UserService`.
    public let service: String

    /// A serialized `google.protobuf.FileDescriptorSet` in base64: the service's file and all that it imports, each
    /// file after those that it needs.
    public let fileDescriptorSet: String

    /// A service's description.
    public init(service: String, fileDescriptorSet: String) {
        self.service = service
        self.fileDescriptorSet = fileDescriptorSet
    }
}
