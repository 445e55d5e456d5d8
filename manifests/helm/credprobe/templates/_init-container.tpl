{{- /*
The init container, for the list of your pod:

      initContainers:
        {{- include "credprobe.initContainer" . | nindent 8 }}

No runAsUser: the kubelet derives owner and mode of the app's token file from the users of all containers.
*/ -}}
{{- define "credprobe.initContainer" -}}
{{- $values := .Values.credprobe -}}
{{- /* generated: helm-init-container */ -}}
- name: credprobe
  # Not published: `make image` builds it (image/README.md); push it to where your nodes pull from.
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
  # A pod of QoS class Guaranteed stays so only with limits for cpu and memory that are equal to the requests.
  # Where `kubectl get quota,limitrange -n NAMESPACE` finds something, they must be what that asks of each container.
  resources: {{- $values.resources | toYaml | nindent 4 }}
  # No runAsUser here: the kubelet derives owner and mode of the app's token file from the users of all containers,
  # so a user of the probe's own would change the file for the app. It inherits the pod's, else the image's 65532.
  # Where every container states the same runAsUser itself, give it to the pod: one without changes the file, too.
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
