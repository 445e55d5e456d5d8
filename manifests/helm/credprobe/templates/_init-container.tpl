{{- /*
The init container, for the list `initContainers` of your pod:

      initContainers:
        {{- include "credprobe.initContainer" . | nindent 8 }}

No runAsUser: the kubelet sets owner and mode of the app's token file by the users of all containers.
*/ -}}
{{- define "credprobe.initContainer" -}}
{{- $values := .Values.credprobe -}}
{{- /* generated: helm-init-container */ -}}
- name: credprobe
  # Not published: build it (image/README.md) and push it to a registry that your nodes pull from.
  image: {{ $values.image | quote }}
  args:
    - check
    {{- range $values.initContainer.args }}
    - {{ . | quote }}
    {{- end }}
    {{- with $values.workload }}
    - {{ printf "--workload=%s" (tpl . $) | quote }}
    {{- end }}
  terminationMessagePolicy: FallbackToLogsOnError
  env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
    - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
  # A pod of QoS class Guaranteed keeps that class only if these limits for cpu and memory equal the requests.
  # If `kubectl get quota,limitrange -n NAMESPACE` lists anything, set what it demands of each container.
  resources: {{- $values.resources | toYaml | nindent 4 }}
  # No runAsUser: the kubelet sets owner and mode of the app's token file by the users of all containers, so a user
  # for credprobe alone could change the file for the app. credprobe has the pod's user, else 65532 of its image.
  # If every container sets the same runAsUser itself, set it on the pod: one container without it changes the file.
  securityContext:
    {{- if $values.runAsNonRoot }}
    runAsNonRoot: true
    {{- end }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: ["ALL"]}
    seccompProfile: {type: RuntimeDefault}
{{- /* /generated */ -}}
{{- end -}}
